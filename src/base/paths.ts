/** Paths as people write them in files. */
import { homedir } from 'node:os';

/** `~` at the beginning is the home folder, `${NAME}` a variable of the environment; one that is not set is a problem. */
export function expandPath(
  path: string,
  env: Record<string, string | undefined> = process.env,
): { path: string } | { problem: string } {
  const names = Array.from(path.matchAll(variable), ([, name]) => name as string);
  const missing = names.find((name) => env[name] === undefined);
  if (missing !== undefined) return { problem: `${path}: the environment has no variable ${missing}` };
  const home = path.replace(/^~(?=$|[/\\])/, () => env.HOME ?? homedir());
  return { path: home.replace(variable, (_, name: string) => env[name] as string) };
}

const variable = /\$\{([A-Za-z_]\w*)\}/g;

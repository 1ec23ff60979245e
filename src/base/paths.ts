/** Paths as people write them in files. */
import { homedir } from 'node:os';

/** `~` at the beginning is the home folder, `${NAME}` a variable of the environment. Throws an Error that names one that is not set. */
export function expandPath(path: string, env: Record<string, string | undefined> = process.env): string {
  const home = path.replace(/^~(?=$|[/\\])/, () => env.HOME ?? homedir());
  return home.replace(/\$\{([A-Za-z_]\w*)\}/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined) throw new Error(`${path}: the environment has no variable ${name}`);
    return value;
  });
}

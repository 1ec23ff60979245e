/** `exp completion bash|zsh|fish`: the registry of commands as a script for that shell. */
import type { Request } from '../arguments.ts';
import { print } from '../output.ts';
import { commands } from '../registry.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { describeCompletion } from './model.ts';
import { zshScript } from './zsh.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** Returns the exit code. */
export async function completionCommand({ positionals }: Request): Promise<number> {
  const [shell] = positionals as [keyof typeof scripts];
  print(scripts[shell](await describeCompletion(commands)));
  return 0;
}

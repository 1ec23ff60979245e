/** `exp help [command]`. */
import { findCommand, type Request } from '../arguments.ts';
import { print } from '../output.ts';
import { groupOf } from '../registry.ts';
import { commandHelp, groupHelp, overview } from './text.ts';

/** Returns the exit code. Throws a UsageError about a command that there is not. */
export async function helpCommand({ positionals }: Request): Promise<number> {
  const [first, second] = positionals;
  const group = groupOf(first ?? '');
  if (first === undefined) print(overview());
  else if (group.length > 0 && second === undefined) print(groupHelp(first, group));
  else print(commandHelp(findCommand(positionals).command));
  return 0;
}

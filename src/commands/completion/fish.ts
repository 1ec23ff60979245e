/** The script for fish. */
import { type Completed, type Offer, shorthand } from './model.ts';

const quote = (text: string) => `'${text.replace(/['\\]/g, '\\$&')}'`;

function offers(offer: Offer): string {
  if (offer === 'file') return ' -F';
  if (offer === 'folder') return " -f -a '(__fish_complete_directories)'";
  return offer === 'anything' ? ' -f' : ` -f -a ${quote(offer.join(' '))}`;
}

export function fishScript({ commands, firstWords, groups }: Completed): string {
  const complete = (condition: string, rest: string) => `complete -c exp -n ${quote(condition)}${rest}`;
  const single = commands.flatMap(({ name }) => (name.includes(' ') ? [] : name));
  const lines = [
    ...firstWords.map(({ name, summary }) => complete('__exp_at 1', ` -a ${name} -d ${quote(summary)}`)),
    complete('__exp_at 1', ' -F'),
    ...groups.flatMap(({ name: group, words }) =>
      words.map(({ name, summary }) =>
        complete(`__exp_at 2 ${group}`, ` -f -a ${name} -d ${quote(summary)}`),
      ),
    ),
    ...commands.flatMap(({ name, options, argument }) => [
      ...options.map(({ flag, help, value }) =>
        complete(
          `__exp_is ${quote(name)}`,
          ` -l ${flag.slice(2)} -d ${quote(help)}${value === undefined ? '' : ` -r${offers(value)}`}`,
        ),
      ),
      complete(`__exp_is ${quote(name)}`, offers(argument)),
    ]),
  ];
  return `# Completion of exp for fish, printed by \`exp completion fish\`.
function __exp_at -d 'Whether the word of this number is typed, after this group if one is given'
    set -l words (commandline -opc)
    test (count $words) -eq $argv[1]; or return 1
    test (count $argv) -eq 1; or test "$words[2]" = "$argv[2]"
end

function __exp_is -d 'Whether the command line is one of this command'
    set -l words (commandline -opc)
    test (count $words) -gt 1; or return 1
    set -l command ${shorthand}
    if contains -- $words[2] ${groups.map(({ name }) => name).join(' ')}
        set command "$words[2] $words[3]"
    else if contains -- $words[2] ${single.join(' ')}
        set command $words[2]
    end
    test "$command" = "$argv[1]"
end

complete -c exp -f
${lines.join('\n')}
`;
}

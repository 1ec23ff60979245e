/** The script for zsh: a function for its completion system, to be evaluated after compinit or kept as \`_exp\` in $fpath. */
import {
  type Completed,
  type CompletedCommand,
  type CompletedOption,
  type Offer,
  shorthand,
} from './model.ts';

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** A text in a specification of _describe or _arguments, where colons and brackets have a meaning. */
const plain = (text: string) => text.replace(/[:[\]\\]/g, '\\$&');

function action(offer: Offer): string {
  if (offer === 'file') return '_files';
  if (offer === 'folder') return '_files -/';
  return offer === 'anything' ? ' ' : `(${offer.join(' ')})`;
}

function optionSpec({ flag, help, value, repeatable }: CompletedOption): string {
  const takes = value === undefined ? '' : `:value:${action(value)}`;
  return quote(`${repeatable ? '*' : ''}${flag}[${plain(help)}]${takes}`);
}

function commandCase({ name, options, argument }: CompletedCommand): string {
  const specs = [...options.map(optionSpec), quote(`*:argument:${action(argument)}`)];
  return `    ${quote(name)})\n      _arguments ${specs.join(' \\\n        ')} ;;`;
}

const describe = (list: { name: string; summary: string }[]) =>
  list.map(({ name, summary }) => quote(`${name}:${plain(summary)}`)).join(' ');

export function zshScript({ commands, firstWords, groups }: Completed): string {
  const single = commands.flatMap(({ name }) => (name.includes(' ') ? [] : name));
  const groupCases = groups.map(
    ({ name, words }) => `    ${name})
      if (( CURRENT == 3 )); then
        names=(${describe(words)})
        _describe command names
        return
      fi
      command="${name} $words[3]"
      shift 2 words
      (( CURRENT -= 2 )) ;;`,
  );
  return `#compdef exp
# Completion of exp for zsh, printed by \`exp completion zsh\`.
_exp() {
  local command=$words[2]
  local -a names
  if (( CURRENT == 2 )); then
    names=(${describe(firstWords)})
    _describe command names
    _files
    return
  fi
  case $command in
${groupCases.join('\n')}
    ${single.join('|')})
      shift words
      (( CURRENT -= 1 )) ;;
    *) command=${shorthand} ;;
  esac
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}

if [[ $funcstack[1] == _exp ]]; then
  _exp "$@"
else
  compdef _exp exp
fi
`;
}

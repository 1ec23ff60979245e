/** The script for bash 3.2 and newer. */
import { type Completed, type Offer, shorthand } from './model.ts';

const words = (list: readonly string[]) => `_exp_offer -W '${list.join(' ')}'`;

function complete(offer: Offer): string {
  if (offer === 'file') return '_exp_offer -f';
  if (offer === 'folder') return '_exp_offer -d';
  return offer === 'anything' ? ':' : words(offer);
}

export function bashScript({ commands, firstWords, groups }: Completed): string {
  const valueCases = commands.flatMap(({ name, options }) =>
    options.flatMap(({ flag, value }) =>
      value === undefined ? [] : `    '${name} ${flag}') ${complete(value)}; return ;;`,
    ),
  );
  const names = groups.map(({ name }) => name);
  const single = commands.flatMap(({ name }) => (name.includes(' ') ? [] : name));
  const secondCases = groups.map(
    (group) => `        ${group.name}) ${words(group.words.map(({ name }) => name))} ;;`,
  );
  return `# Completion of exp for bash, printed by \`exp completion bash\`.
_exp_offer() {
  # Folders get a slash, and names with spaces their backslashes. bash 3 has no compopt.
  if [[ $1 != -W ]] && type compopt > /dev/null 2>&1; then compopt -o filenames; fi
  local IFS=$'\\n'
  [[ $1 == -W ]] && set -- -W "\${2// /$IFS}"
  COMPREPLY+=($(compgen "$@" -- "\${COMP_WORDS[COMP_CWORD]}"))
}

_exp() {
  COMPREPLY=()
  local command=\${COMP_WORDS[1]}
  if ((COMP_CWORD == 1)); then
    ${words([...firstWords.map(({ name }) => name), '--help', '--version'])}
    _exp_offer -f
    return
  fi
  case "$command" in
    ${names.join('|')})
      if ((COMP_CWORD == 2)); then
        case "$command" in
${secondCases.join('\n')}
        esac
        return
      fi
      command="$command \${COMP_WORDS[2]}" ;;
    ${single.join('|')}) ;;
    *) command=${shorthand} ;;
  esac
  case "$command \${COMP_WORDS[COMP_CWORD - 1]}" in
${valueCases.join('\n')}
  esac
  if [[ \${COMP_WORDS[COMP_CWORD]} == -* ]]; then
    case "$command" in
${commands.map(({ name, options }) => `      '${name}') ${words(options.map(({ flag }) => flag))} ;;`).join('\n')}
    esac
  else
    case "$command" in
${commands.map(({ name, argument }) => `      '${name}') ${complete(argument)} ;;`).join('\n')}
    esac
  fi
}

complete -F _exp exp
`;
}

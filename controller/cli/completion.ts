import { kinds } from '../../crds/index.ts';
import { exit, parseOptions, UsageError, type Command } from './command.ts';
import { commandNames } from './commands.ts';

export const command: Command = {
  name: 'completion',
  summary: 'Prints a script that lets bash complete commands, kinds and names.',
  usage: ['completion bash'],
  options: {},
  exits: {},
  examples: ['source <(cairn completion bash)'],

  async run(args, io) {
    const { positionals } = parseOptions(args, {});
    if (positionals.join(' ') !== 'bash')
      throw new UsageError('expected the name of a shell: bash');
    io.out(bashScript());
    return exit.good;
  },
};

function bashScript(): string {
  const kindWords = kinds.map(({ kind }) => kind.toLowerCase());
  return `_cairn() {
  local word=\${COMP_WORDS[COMP_CWORD]} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='help ${commandNames.join(' ')}'
  else
    case \${COMP_WORDS[1]} in
      validate | plan | apply | init | run | publish) compopt -o default; return ;;
      help) words='${commandNames.join(' ')}' ;;
      promote | rollback) words=$(cairn get environments,snapshots -o jsonpath='.items[*].metadata.name' 2>/dev/null) ;;
      *) words="all ${kindWords.join(' ')} $(cairn get all -o name 2>/dev/null)" ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _cairn cairn`;
}

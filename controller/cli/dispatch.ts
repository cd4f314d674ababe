import { nearestWord } from '../../crds/hint.ts';
import { commandNames, loadCommand } from './commands.ts';
import { CliError, exit, UsageError, type Command, type Io } from './command.ts';

/** Runs the command line `cairn <args>`, prints what went wrong, and returns the exit status. */
export async function dispatch(args: readonly string[], io: Io): Promise<number> {
  try {
    return await runCommand(args, io);
  } catch (thrown) {
    if (io.signal.aborted) return exit.failed;
    io.progress('');
    io.err(`cairn: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return thrown instanceof CliError ? thrown.status : exit.failed;
  }
}

async function runCommand(args: readonly string[], io: Io): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || first === '--help' || first === '-h') return help([], io);
  if (first === 'help') return help(rest, io);
  const command = await commandNamed(first === '--version' ? 'version' : first);
  if (asksForHelp(rest)) return help([command.name], io);
  try {
    return await command.run(rest, io);
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown;
    throw new UsageError(`${thrown.message}\nSee 'cairn help ${command.name}'.`);
  }
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args
    .slice(0, end === -1 ? undefined : end)
    .some((arg) => arg === '--help' || arg === '-h');
}

async function help(names: readonly string[], io: Io): Promise<number> {
  const { overview, helpOf } = await import('./help.ts');
  const [name] = names.filter((word) => word !== '--help' && word !== '-h' && word !== 'help');
  io.out(name === undefined ? await overview() : helpOf(await commandNamed(name)));
  return exit.good;
}

async function commandNamed(name: string): Promise<Command> {
  const command = await loadCommand(name);
  if (command) return command;
  const what = name.startsWith('-') ? 'option' : 'command';
  const near = nearestWord(name, commandNames);
  const hint = near === undefined ? "See 'cairn help'." : `Did you mean 'cairn ${near}'?`;
  throw new UsageError(`unknown ${what} ${JSON.stringify(name)}. ${hint}`);
}

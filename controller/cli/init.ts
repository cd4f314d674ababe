import path from 'node:path';
import { CliError, exit, parseOptions, UsageError, type Command, type Io } from './command.ts';
import { exampleFiles } from './init-example.ts';
import { commitFiles } from './init-git.ts';
import { writeFiles, type NewFile } from './new-files.ts';

const options = {
  'from-apt': {
    type: 'boolean',
    description: "declare what this machine's own APT sources name",
  },
  'apt-dir': {
    type: 'string',
    value: 'DIR',
    default: '/etc/apt',
    description: 'with --from-apt: read these sources instead',
  },
  git: { type: 'boolean', description: 'make it a git repository, with a first commit' },
  force: { type: 'boolean', description: 'overwrite files that are there' },
} as const;

export const command: Command = {
  name: 'init',
  summary: 'Writes a config repository to start from.',
  usage: ['init [DIR]', 'init [DIR] --from-apt [--git]'],
  options,
  exits: { 1: 'nothing was written: files are in the way, or no source can be used' },
  examples: ['cairn init config --from-apt --git && cairn run --config config'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    const [directory = '.', ...more] = positionals;
    if (more.length > 0) throw new UsageError('expected one directory');
    const aptDirectory = path.resolve(io.cwd, values['apt-dir']);
    const files = values['from-apt'] ? await filesFromApt(aptDirectory, io) : await exampleFiles();
    await writeConfig(directory, files, values, io);
    io.err(`\nNext: cairn run --config ${directory}`);
    return exit.good;
  },
};

/** Writes a config repository of what this machine's own APT sources name. Throws `CliError`. */
export async function initFromApt(directory: string, io: Io): Promise<void> {
  const files = await filesFromApt(options['apt-dir'].default, io);
  await writeConfig(directory, files, { git: true }, io);
}

async function writeConfig(
  directory: string,
  files: readonly NewFile[],
  { git, force }: { readonly git?: boolean | undefined; readonly force?: boolean | undefined },
  io: Io,
): Promise<void> {
  const root = path.resolve(io.cwd, directory);
  await writeFiles(root, files, { overwrite: force === true });
  if (git) await commitFiles(root, files, io);
  for (const file of files) io.out(path.join(directory, file.path));
}

async function filesFromApt(aptDirectory: string, io: Io): Promise<readonly NewFile[]> {
  // They load OpenPGP, which takes longer than all the rest.
  const { readMachine } = await import('./apt-machine.ts');
  const { aptFiles } = await import('./init-apt.ts');
  const machine = await readMachine(aptDirectory, io);
  const files = await aptFiles(machine, (message) => io.err(`warning: ${message}`));
  if (files) return files;
  throw new CliError(`there is no APT source in ${aptDirectory} that Cairn can mirror`);
}

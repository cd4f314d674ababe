import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CliError, type Io } from './command.ts';

const run = promisify(execFile);
const packageToFetch = 'hello';
const timeoutMs = 5 * 60_000;

/**
 * Has apt itself update from the environment and download a package, in a root of its own below
 * `folder`: nothing of the machine's apt is read or written.
 */
export async function proveWithApt(
  url: string,
  environment: string,
  folder: string,
  io: Io,
): Promise<void> {
  const response = await fetch(`${url}/environments/${environment}/client.sources`);
  const sources = await response.text();
  if (!response.ok) throw new CliError(`client.sources of ${environment}: ${sources}`);
  const root = join(folder, 'apt');
  const config = await aptRoot(root, sources);
  const apt = async (...args: string[]) => {
    io.progress(`apt-get ${args.join(' ')}`);
    try {
      const env = { ...io.env, APT_CONFIG: config, LC_ALL: 'C' };
      const options = { cwd: join(root, 'downloads'), env, timeout: timeoutMs };
      return (await run('apt-get', args, { ...options, signal: io.signal })).stdout;
    } catch (error) {
      const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
      throw new CliError(`apt-get ${args.join(' ')} failed: ${output || String(error)}`);
    } finally {
      io.progress('');
    }
  };
  await apt('update');
  io.out('apt-get update: good, signatures checked');
  await apt('download', packageToFetch);
  const [deb] = (await readdir(join(root, 'downloads'))).filter((name) => name.endsWith('.deb'));
  io.out(`apt-get download ${packageToFetch}: ${deb ?? 'it was there already'}`);
}

/** A root with nothing of the host in it; returns the path of its apt.conf. */
async function aptRoot(root: string, sources: string): Promise<string> {
  await rm(join(root, 'downloads'), { recursive: true, force: true });
  for (const part of ['lists/partial', 'archives/partial', 'parts', 'downloads']) {
    await mkdir(join(root, part), { recursive: true });
  }
  await writeFile(join(root, 'status'), '');
  await writeFile(join(root, 'cairn.sources'), sources);
  const config = join(root, 'apt.conf');
  await writeFile(
    config,
    `Dir::State::Lists "${root}/lists";
Dir::State::Status "${root}/status";
Dir::Cache "${root}";
Dir::Cache::Archives "${root}/archives";
Dir::Etc::SourceList "${root}/cairn.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Parts "${root}/parts";
Dir::Etc::Main "/dev/null";
Dir::Etc::Trusted "/dev/null";
Dir::Etc::TrustedParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Acquire::Languages "none";
Acquire::Check-Date "true";
Acquire::Check-Valid-Until "true";
APT::Sandbox::User "${process.getuid?.() === 0 ? 'root' : ''}";
`,
  );
  return config;
}

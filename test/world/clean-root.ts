/** A Debian 13 as it is just installed, to install packages into; what is changed in it is in memory, and gone afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { run, type Finished } from './process.ts';
import { tempDir, type Scope } from './temp.ts';
import { debianMirror, networkSettings, trixieFolder } from './trixie.ts';

export interface CleanRoot {
  /** Writes a file below its root folder. */
  write(file: string, content: string): Promise<void>;
  /** Runs a command of the shell in it, with its network. */
  shell(command: string): Promise<Finished>;
}

/** Keys of Debian, in a file that nothing trusts for any other archive. */
const debianKeys = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** What is mounted is seen by the commands that run in it alone, and goes with the process that holds it. */
const hold = `set -eu
mount -t tmpfs -o mode=755 cairn-test "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
echo held
exec sleep infinity`;

/** Needs root rights. apt in it knows Debian, by Debian's keys, and trusts nothing else. */
export async function cleanRoot(scope: Scope): Promise<CleanRoot> {
  const lower = await trixieFolder('trixie');
  const folder = tempDir(scope);
  const words = ['--pdeathsig', 'KILL', 'unshare', '--mount', 'sh', '-c', hold, 'sh'];
  const holder = spawn('setpriv', [...words, folder, lower], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(holder, 'close');
  scope.after(async () => {
    holder.kill('SIGKILL');
    await closed;
  });
  await Promise.race([
    once(holder.stdout, 'data'),
    closed.then(() => Promise.reject(new Error('no root could be mounted'))),
  ]);
  const place = ['--mount', '--target', String(holder.pid), 'chroot', path.join(folder, 'root')];
  const inside = [...place, 'env', '--ignore-environment', ...variables];
  const enter = (words: readonly string[], input?: string) =>
    run('nsenter', [...inside, ...words], {
      timeoutMs: 300_000,
      ...(input === undefined ? {} : { input }),
    });
  const root: CleanRoot = {
    shell: (command) => enter(['sh', '-euc', command]),
    async write(file, content) {
      const script = 'mkdir -p "$(dirname "$1")" && cat >"$1"';
      const { code, output } = await enter(['sh', '-euc', script, 'sh', file], content);
      if (code !== 0) throw new Error(output);
    },
  };
  await setUp(root);
  return root;
}

async function setUp({ shell, write }: CleanRoot): Promise<void> {
  const { url } = await debianMirror();
  const source = ['Types: deb', `URIs: ${url}`, 'Suites: trixie', 'Components: main'];
  const { code, output } = await shell('rm -rf /etc/apt/sources.list /etc/apt/trusted.gpg.d/*');
  if (code !== 0) throw new Error(output);
  await write(
    '/etc/apt/sources.list.d/debian.sources',
    `${[...source, `Signed-By: ${debianKeys}`].join('\n')}\n`,
  );
  // what is on this machine is not asked for by a proxy
  const direct = ['Acquire::http::Proxy::127.0.0.1 "DIRECT";', 'Acquire::Languages "none";'];
  const fast = ['DPkg::Options { "--force-unsafe-io"; };', 'APT::Install-Recommends "false";'];
  const lines = [...(await networkSettings()), ...direct, ...fast];
  await write('/etc/apt/apt.conf.d/90tests', `${lines.join('\n')}\n`);
  await write('/etc/resolv.conf', readFileSync('/etc/resolv.conf', 'utf8'));
  // nothing is started where nothing runs: policy-rc.d(8)
  await write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n');
  await shell('chmod 755 /usr/sbin/policy-rc.d');
}

/** All that programs in it find in their environment. */
const variables = [
  ...['LC_ALL=C.UTF-8', 'HOME=/root', 'DEBIAN_FRONTEND=noninteractive'],
  'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
];

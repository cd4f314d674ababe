import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exportSecret, testKey } from '../../test/world/keys.ts';
import { mustRun } from '../../test/world/process.ts';
import type { Command } from '../measure.ts';
import type { Peer, Upstream } from './peer.ts';

const suite = 'bench';

/** aptly with 16 downloads at a time, its best setting here, and without Contents indexes. */
export const aptly: Peer = {
  name: 'aptly',
  label: 'aptly, 16 downloads',
  async prepare(folder, upstream) {
    await setUp(folder, upstream);
    const flags = [`-keyring=${keyring(folder)}`, '-architectures=amd64'];
    const { program, args, env } = command(folder, [
      'mirror',
      'create',
      ...flags,
      'bench',
      upstream.url,
      upstream.suite,
      'main',
    ]);
    await mustRun(program, args, env ? { env } : {});
    return command(folder, ['mirror', 'update', `-keyring=${keyring(folder)}`, 'bench']);
  },
  snapshots: {
    create: (folder, name) =>
      command(folder, ['snapshot', 'create', name, 'from', 'mirror', 'bench']),
    diff: (folder, one, other) => command(folder, ['snapshot', 'diff', one, other]),
    publish: (folder, name) =>
      command(folder, ['publish', 'snapshot', `-distribution=${suite}`, '-batch', name]),
    promote: (folder, name) => command(folder, ['publish', 'switch', '-batch', suite, name]),
  },
};

async function setUp(folder: string, { keyFile }: Upstream): Promise<void> {
  const home = gpgHome(folder);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const settings = {
    rootDir: path.join(folder, 'root'),
    downloadConcurrency: 16,
    architectures: ['amd64'],
    gpgProvider: 'gpg2',
    skipContentsPublishing: true,
  };
  writeFileSync(configFile(folder), JSON.stringify(settings));
  await mustRun('gpg', ['--batch', '--yes', '--dearmor', '--output', keyring(folder), keyFile]);
  const secret = await exportSecret(await testKey('publisher', { algorithm: 'rsa3072' }));
  await mustRun('gpg', ['--homedir', home, '--batch', '--quiet', '--import'], { input: secret });
}

function command(folder: string, args: readonly string[]): Command {
  return {
    program: 'aptly',
    args: [`-config=${configFile(folder)}`, ...args],
    env: { GNUPGHOME: gpgHome(folder) },
  };
}

function configFile(folder: string): string {
  return path.join(folder, 'aptly.conf');
}

function gpgHome(folder: string): string {
  return path.join(folder, 'gnupg');
}

function keyring(folder: string): string {
  return path.join(folder, 'archive.gpg');
}

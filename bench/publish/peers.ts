/** What others do to publish one package into a repository of many. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exportSecret, testKey } from '../../test/world/keys.ts';
import { mustRun } from '../../test/world/process.ts';
import type { Command } from '../measure.ts';
import type { PeerName } from '../options.ts';
import { newWorkFolder } from '../work-folder.ts';
import type { PublishPackages } from './packages.ts';

export interface Publisher {
  readonly name: PeerName;
  readonly label: string;
  /** Makes a repository of many packages; gives the command that publishes one more. */
  prepare(packages: PublishPackages): Promise<(file: string) => Command>;
}

const suite = 'bench';
/** As many as fit on a command line. */
const filesEach = 5000;

const reprepro: Publisher = {
  name: 'reprepro',
  label: 'reprepro includedeb',
  async prepare({ many }) {
    const { folder, env, fingerprint } = await signingFolder('reprepro');
    mkdirSync(path.join(folder, 'conf'));
    const fields = `Codename: ${suite}\nSuite: ${suite}\nComponents: main\nArchitectures: amd64 source\n`;
    writeFileSync(path.join(folder, 'conf/distributions'), `${fields}SignWith: ${fingerprint}\n`);
    const include = (files: readonly string[]) => ({
      program: 'reprepro',
      args: ['--silent', '-b', folder, 'includedeb', suite, ...files],
      env,
    });
    for (let at = 0; at < many.length; at += filesEach) {
      const { program, args } = include(many.slice(at, at + filesEach));
      await mustRun(program, args, { env: { ...process.env, ...env } });
    }
    return (file) => include([file]);
  },
};

const aptly: Publisher = {
  name: 'aptly',
  label: 'aptly repo add, publish update',
  async prepare({ folder: many }) {
    const { folder, env } = await signingFolder('aptly');
    const config = path.join(folder, 'aptly.conf');
    const settings = {
      rootDir: path.join(folder, 'root'),
      architectures: ['amd64'],
      gpgProvider: 'gpg2',
    };
    writeFileSync(config, JSON.stringify({ ...settings, skipContentsPublishing: true }));
    const aptly = `aptly -config=${config}`;
    const run = (script: string): Command => ({ program: 'sh', args: ['-ec', script], env });
    const first = `${aptly} repo create ${suite}; ${aptly} repo add ${suite} ${many}; ${aptly} publish repo -batch -distribution=${suite} ${suite}`;
    await mustRun('sh', ['-ec', first], { env: { ...process.env, ...env } });
    return (file) =>
      run(`${aptly} repo add ${suite} ${file}; ${aptly} publish update -batch ${suite}`);
  },
};

export const publishers: readonly Publisher[] = [reprepro, aptly];

/** A folder with a key to sign with, of the kind that these tools make by default. */
async function signingFolder(name: string) {
  const folder = newWorkFolder(name);
  const home = path.join(folder, 'gnupg');
  mkdirSync(home, { mode: 0o700 });
  const key = await testKey('publisher', { algorithm: 'rsa3072' });
  const input = await exportSecret(key);
  await mustRun('gpg', ['--homedir', home, '--batch', '--quiet', '--import'], { input });
  return { folder, env: { GNUPGHOME: home }, fingerprint: key.fingerprint };
}

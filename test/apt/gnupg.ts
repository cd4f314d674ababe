import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { run, temporaryFolder, tryRun } from './tools.ts';

/** `20200101T000000`: the clock of a gpg call. */
export type GpgTime = string;

/** A GnuPG home of its own. */
export class Gnupg {
  readonly home = join(temporaryFolder(), 'gnupg');

  constructor() {
    mkdirSync(this.home, { mode: 0o700 });
    // Otherwise the agent spends seconds on finding out how many rounds this machine can bear.
    writeFileSync(join(this.home, 'gpg-agent.conf'), 's2k-count 65536\n');
    after(() => tryRun('gpgconf', ['--kill', 'all'], { env: { GNUPGHOME: this.home } }));
  }

  gpg(args: readonly string[], input: string | Uint8Array = '', time?: GpgTime): Buffer {
    const clock = time === undefined ? [] : ['--faked-system-time', `${time}!`];
    const quiet = ['--batch', '--yes', '--no-tty', '--pinentry-mode', 'loopback'];
    return run('gpg', [...quiet, '--passphrase', '', ...clock, ...args], {
      input,
      env: { GNUPGHOME: this.home },
    });
  }

  /** Makes a key and returns its fingerprint. */
  makeKey(name: string, options: KeyOptions = {}): string {
    const { algorithm = 'ed25519', expires = 'never', time } = options;
    this.gpg(['--quick-gen-key', name, algorithm, options.usage ?? 'sign', expires], '', time);
    return this.fingerprints(name)[0] ?? '';
  }

  /** Adds a signing subkey and returns its fingerprint. */
  addSubkey(primary: string, { expires = 'never', time }: KeyOptions = {}): string {
    this.gpg(['--quick-add-key', primary, 'ed25519', 'sign', expires], '', time);
    return this.fingerprints(primary).at(-1) ?? '';
  }

  /** Of the primary key, then of its subkeys. */
  fingerprints(key: string): string[] {
    const listing = this.gpg(['--with-colons', '--with-subkey-fingerprint', '--list-keys', key]);
    return [...listing.toString().matchAll(/^fpr:+([0-9A-F]{40}):/gm)].map(
      ([, found = '']) => found,
    );
  }

  clearsign(key: string, text: string | Uint8Array, options: SignOptions = {}): string {
    return this.gpg(
      ['--clearsign', '-u', key, ...(options.extra ?? [])],
      text,
      options.time,
    ).toString();
  }

  export(...keys: string[]): Buffer {
    return this.gpg(['--export', ...keys]);
  }

  /** The certificate that gpg made beside the key, taken in. */
  revoke(fingerprint: string): void {
    const path = join(this.home, 'openpgp-revocs.d', `${fingerprint}.rev`);
    this.gpg(['--import'], readFileSync(path, 'utf8').replace(':-----BEGIN', '-----BEGIN'));
  }

  /** What gpgv says with the settings of apt: whether one signature is good. */
  gpgvAccepts(keyring: Uint8Array, files: readonly (string | Uint8Array)[]): boolean {
    const paths = files.map((content, index) => {
      const path = join(this.home, `checked-${index}`);
      writeFileSync(path, content);
      return path;
    });
    const ring = join(this.home, 'checked.gpg');
    writeFileSync(ring, keyring);
    const weak = ['--weak-digest', 'SHA1', '--weak-digest', 'RIPEMD160'];
    const { stdout } = tryRun('gpgv', ['--status-fd', '1', ...weak, '--keyring', ring, ...paths]);
    return stdout.includes('[GNUPG:] GOODSIG ') && stdout.includes('[GNUPG:] VALIDSIG ');
  }
}

export interface KeyOptions {
  readonly algorithm?: string;
  readonly usage?: string;
  readonly expires?: string;
  readonly time?: GpgTime;
}

export interface SignOptions {
  readonly extra?: readonly string[];
  readonly time?: GpgTime;
}

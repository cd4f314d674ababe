import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { mustRun } from '../../test/world/process.ts';
import type { Peer } from './peer.ts';

/** debmirror as it comes: signatures checked, sizes of held files compared on a refresh. */
export const debmirror: Peer = {
  name: 'debmirror',
  label: 'debmirror',
  async prepare(folder, { url, suite, keyFile }) {
    const keyring = path.join(folder, 'archive.gpg');
    mkdirSync(path.join(folder, 'home'));
    await mustRun('gpg', ['--batch', '--yes', '--dearmor', '--output', keyring, keyFile]);
    const { host, pathname } = new URL(url);
    const choices = {
      method: 'http',
      host,
      root: pathname.slice(1),
      dist: suite,
      section: 'main',
      arch: 'amd64',
      diff: 'none',
      'rsync-extra': 'none',
      keyring,
    };
    const flags = Object.entries(choices).map(([name, value]) => `--${name}=${value}`);
    const args = [...flags, '--nosource', '--i18n', '--omit-suite-symlinks'];
    const env = { HOME: path.join(folder, 'home') };
    return { program: 'debmirror', args: [...args, path.join(folder, 'mirror')], env };
  },
};

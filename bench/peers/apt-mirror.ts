import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Peer } from './peer.ts';

/** apt-mirror with its 20 downloads at a time. It verifies neither signatures nor hashes. */
export const aptMirror: Peer = {
  name: 'apt-mirror',
  label: 'apt-mirror (verifies nothing)',
  async prepare(folder, { url, suite }) {
    for (const name of ['mirror', 'skel', 'var']) mkdirSync(path.join(folder, name));
    const config = path.join(folder, 'mirror.list');
    writeFileSync(
      config,
      `set base_path ${folder}
set mirror_path $base_path/mirror
set skel_path $base_path/skel
set var_path $base_path/var
set defaultarch amd64
set nthreads 20
set _tilde 0
set run_postmirror 0
deb ${url} ${suite} main
`,
    );
    return { program: 'apt-mirror', args: [config] };
  },
};

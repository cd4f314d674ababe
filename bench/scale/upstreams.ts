/** One tiny archive under as many URLs as there are Mirrors. */
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { Archive } from '../../test/world/archive.ts';
import { exportPublic, testKey } from '../../test/world/keys.ts';
import { startNginx } from '../../test/world/nginx.ts';
import { suite } from '../archive.ts';
import type { Upstreams } from './population.ts';

export const packagesEach = 3;

export async function startUpstreams(
  folder: string,
  count: number,
): Promise<Upstreams & { stop(): Promise<void> }> {
  const key = await testKey('scale');
  const site = path.join(folder, 'site');
  mkdirSync(site, { recursive: true });
  const archive = new Archive(path.join(site, 'archive'), { suite, signWith: key });
  for (let index = 0; index < packagesEach; index += 1) {
    archive.add({ name: `package-${index}`, version: '1.0' });
  }
  await archive.publish();
  for (let index = 0; index < count; index += 1) {
    symlinkSync('archive', path.join(site, `archive-${index}`));
  }
  const nginx = await startNginx(site);
  return {
    urlOf: (index) => `${nginx.url}/archive-${index}`,
    armoredKey: await exportPublic(key),
    stop: () => nginx.stop(),
  };
}

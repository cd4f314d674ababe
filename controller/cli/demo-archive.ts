import { hash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { formatStanza } from '../../apt/deb822.ts';
import { clearsign, generateSigningKey, readSigningKey } from '../../apt/openpgp.ts';
import { formatReleaseDate } from '../../apt/release.ts';
import { makeAr, makeTar } from '../../apt/deb-container.ts';

/** A small signed archive, served on loopback. */
export interface DemoArchive {
  /** Writes manifests that mirror it into a config folder. */
  writeManifests(folder: string): Promise<void>;
  close(): Promise<void>;
}

const packages = ['apple', 'banana', 'cherry'];

/** Makes the archive below `folder` the first time, and serves it. */
export async function startDemoArchive(folder: string): Promise<DemoArchive> {
  const root = join(folder, 'archive');
  const key = join(root, 'key.asc');
  const made = await readFile(key).catch(() => undefined);
  if (!made) await makeArchive(root, key);
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname);
    readFile(join(root, path)).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  // The port is part of the mirror's identity, so it stays the same from run to run.
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(18_100, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // listening on TCP
  return {
    writeManifests: (config) => writeManifests(config, `http://127.0.0.1:${port}`, key),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function makeArchive(root: string, keyFile: string): Promise<void> {
  const now = new Date();
  const index: string[] = [];
  for (const name of packages) index.push(await addPackage(root, name));
  const directory = join(root, 'dists/stable/main/binary-amd64');
  await mkdir(directory, { recursive: true });
  const plain = Buffer.from(`${index.join('\n\n')}\n`);
  const files = { Packages: plain, 'Packages.gz': gzipSync(plain) };
  const lines: string[] = [];
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(join(directory, name), bytes);
    lines.push(` ${hash('sha256', bytes)} ${bytes.length} main/binary-amd64/${name}`);
  }
  const release = formatStanza([
    { name: 'Origin', value: 'Cairn demo' },
    { name: 'Label', value: 'Cairn demo' },
    { name: 'Suite', value: 'stable' },
    { name: 'Codename', value: 'stable' },
    { name: 'Date', value: formatReleaseDate(now) },
    { name: 'Architectures', value: 'amd64' },
    { name: 'Components', value: 'main' },
    { name: 'SHA256', value: `\n${lines.join('\n')}` },
  ]);
  const signer = await generateSigningKey({ userId: 'Cairn demo archive', now });
  const signed = await clearsign(release, [await readSigningKey(signer.privateArmored)], now);
  await writeFile(join(root, 'dists/stable/InRelease'), signed);
  await writeFile(keyFile, signer.publicArmored);
}

/** Writes one package into the pool and returns its stanza. */
async function addPackage(root: string, name: string): Promise<string> {
  const fields = [
    { name: 'Package', value: name },
    { name: 'Version', value: '1.0' },
    { name: 'Architecture', value: 'all' },
    { name: 'Maintainer', value: 'Cairn <cairn@example.com>' },
    { name: 'Description', value: `a package called ${name}` },
  ];
  const control = Buffer.from(`${formatStanza(fields).trimEnd()}\n`);
  const content = Buffer.from(`This is ${name}.\n`);
  const deb = makeAr([
    { name: 'debian-binary', content: Buffer.from('2.0\n') },
    {
      name: 'control.tar.gz',
      content: gzipSync(makeTar([{ name: './control', content: control }])),
    },
    {
      name: 'data.tar.gz',
      content: gzipSync(makeTar([{ name: `./usr/share/doc/${name}/about`, content }])),
    },
  ]);
  const path = `pool/main/${name[0]}/${name}/${name}_1.0_all.deb`;
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), deb);
  return formatStanza([
    ...fields,
    { name: 'Filename', value: path },
    { name: 'Size', value: String(deb.length) },
    { name: 'SHA256', value: hash('sha256', deb) },
  ]).trimEnd();
}

async function writeManifests(folder: string, url: string, keyFile: string): Promise<void> {
  await mkdir(join(folder, 'keys'), { recursive: true });
  await writeFile(join(folder, 'keys/demo.asc'), await readFile(keyFile));
  const head = 'apiVersion: cairn.build/v1alpha1';
  await writeFile(
    join(folder, 'demo.yaml'),
    `${head}
kind: Mirror
metadata: { name: demo }
spec:
  url: ${url}
  suites: [stable]
  signedBy: { file: keys/demo.asc }
  public: true
---
${head}
kind: MirrorSet
metadata: { name: base }
spec: { mirrors: [{ name: demo }] }
---
${head}
kind: Snapshot
metadata: { name: base-1 }
spec: { mirrorSetRef: { name: base } }
---
${head}
kind: Environment
metadata: { name: production }
spec: { snapshotRef: { name: base-1 } }
`,
  );
}

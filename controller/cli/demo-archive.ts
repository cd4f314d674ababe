import { hash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { formatStanza } from '../../apt/deb822.ts';
import { clearsign, generateSigningKey, readSigningKey } from '../../apt/openpgp.ts';
import { formatReleaseDate } from '../../apt/release.ts';
import { makeAr, makeTar } from '../../apt/deb-container.ts';
import { CliError, exit } from './command.ts';

/** A small signed archive, served on loopback. */
export interface DemoArchive {
  /** Where it is served; the same each time, since a mirror is known by it. */
  readonly url: string;
  /** Writes manifests that mirror it into a config folder. */
  writeManifests(folder: string): Promise<void>;
  close(): Promise<void>;
}

const packages = ['apple', 'banana', 'cherry'];
const firstPort = 18_100;

/**
 * Makes the archive below `folder` the first time, and serves it. Throws `CliError` when another
 * program has taken its port since.
 */
export async function startDemoArchive(folder: string): Promise<DemoArchive> {
  const root = join(folder, 'archive');
  const key = join(root, 'key.asc');
  const portFile = join(folder, 'archive-port');
  if (!existsSync(key)) await makeArchive(root, key);
  const files = new Set(await readdir(root, { recursive: true }));
  const server = createServer((request, response) => {
    const path = (request.url ?? '').slice(1);
    const content = files.has(path) ? readFile(join(root, path)) : Promise.reject(new Error());
    content.then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  const port = existsSync(portFile)
    ? await listenAgain(server, Number(await readFile(portFile, 'utf8')))
    : await listenAnywhere(server);
  await writeFile(portFile, `${port}\n`);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    writeManifests: (config) => writeManifests(config, url, key),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listenAgain(server: Server, port: number): Promise<number> {
  try {
    return await listen(server, port);
  } catch (cause) {
    const message = `port ${port}, where the archive of the demo was last time, is taken; free it, or start over by removing .cache/demo`;
    throw new CliError(message, exit.failed, { cause });
  }
}

async function listenAnywhere(server: Server): Promise<number> {
  try {
    return await listen(server, firstPort);
  } catch {
    return listen(server, 0);
  }
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // listening on TCP
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

/** Measures Cairn beside other tools. See README.md. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startNginx } from '../test/world/nginx.ts';
import { cacheFolder, prepareArchive, suite } from './archive.ts';
import { benchCairn } from './bench-cairn.ts';
import { benchPeer } from './bench-peer.ts';
import { notes } from './notes.ts';
import { parseOptions, usage, type BenchOptions, type WorkName } from './options.ts';
import { aptMirror } from './peers/apt-mirror.ts';
import { aptly } from './peers/aptly.ts';
import { debmirror } from './peers/debmirror.ts';
import type { Peer } from './peers/peer.ts';
import { benchBuilds } from './builds/bench-builds.ts';
import { benchPublish } from './publish/bench-publish.ts';
import type { Result } from './results.ts';
import { benchScale } from './scale/bench-scale.ts';
import { benchTakeover } from './scale/bench-takeover.ts';
import { benchServing } from './serving.ts';
import { formatTable } from './table.ts';
import { removeWorkFolders } from './work-folder.ts';

const peers: readonly Peer[] = [aptly, debmirror, aptMirror];

/** An address with the port that apt-mirror insists on; the whole of 127.0.0.0/8 is this machine. */
const port80 = '127.80.0.1:80';

async function main(options: BenchOptions): Promise<void> {
  mkdirSync(cacheFolder, { recursive: true });
  const results: Result[] = [];
  if (wants(options, 'mirror', 'refresh', 'snapshot', 'promotion', 'diff')) {
    results.push(...(await benchMirrors(options)));
  }
  if (wants(options, 'publish')) {
    results.push(...(await benchPublish(options, say).finally(removeWorkFolders)));
  }
  if (wants(options, 'builds')) {
    results.push(...(await benchBuilds(options, say).finally(removeWorkFolders)));
  }
  if (wants(options, 'serving')) {
    say('serving: nginx and Cairn');
    results.push(...(await benchServing(options)));
  }
  if (wants(options, 'scale')) {
    results.push(...(await benchScale(options, say).finally(removeWorkFolders)));
  }
  if (wants(options, 'takeover')) {
    results.push(...(await benchTakeover(options, say).finally(removeWorkFolders)));
  }
  writeFileSync(path.join(cacheFolder, 'results.json'), JSON.stringify(results, null, 2));
  process.stdout.write(`\n${formatTable(results)}\n${notes(options)}`);
}

async function benchMirrors(options: BenchOptions): Promise<Result[]> {
  say(`making an archive of ${options.packages} packages, unless .cache/bench has it`);
  const archive = await prepareArchive(options.packages, options.runs + 1);
  const nginx = await startNginx(
    archive.site,
    options.peers.has('apt-mirror') ? port80 : undefined,
  );
  const upstream = { url: `${nginx.url}/debian`, suite, keyFile: archive.keyFile };
  const results: Result[] = [];
  try {
    if (options.cairn) {
      say('Cairn');
      results.push(...(await benchCairn(archive, upstream, options)));
    }
    for (const peer of peers) {
      if (!options.peers.has(peer.name)) continue;
      say(peer.name);
      results.push(...(await benchPeer(peer, archive, upstream, options)));
    }
  } finally {
    await nginx.stop();
    removeWorkFolders();
  }
  return results;
}

function wants({ only }: BenchOptions, ...works: readonly WorkName[]): boolean {
  return works.some((work) => only.has(work));
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

function optionsOrExit(): BenchOptions {
  if (process.argv.includes('--help')) {
    process.stdout.write(usage);
    process.exit(0);
  }
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}

await main(optionsOrExit());

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { archiveIdentity, digestOf, type DeclaredArchive } from './archives.ts';
import type { Context } from './context.ts';
import { ensureImage, importImage, inspectImage, type ImageName } from './images.ts';

/**
 * What bases are made with: an image that has mmdebstrap in it. Either one that the engine has, or one that is made by the
 * controller's own mmdebstrap, from archives that its operator trusts as much as the machine's own.
 */
export type Toolbox =
  | { readonly kind: 'image'; readonly name: string }
  | {
      readonly kind: 'archives';
      readonly archives: readonly DeclaredArchive[];
      /** Lines of apt.conf, such as for a proxy. */
      readonly aptOptions?: readonly string[] | undefined;
    };

/** There is no toolbox: a matter of the operator, not of a user. */
export class ToolboxProblem extends Error {
  override readonly name = 'ToolboxProblem';
}

const recipe = 1;
const withinMs = 15 * 60_000;
const mostOutput = 64 << 10;
const remakeAfterDays = 30; // for fixes in its packages

/** The id of the image of the toolbox. */
export async function ensureToolbox(
  context: Context,
  toolbox: Toolbox,
  architecture: string,
  signal?: AbortSignal,
): Promise<string> {
  if (toolbox.kind === 'image') {
    const found = await inspectImage(context, toolbox.name);
    if (found) return found.Id;
    throw new ToolboxProblem(`Docker has no image ${toolbox.name}, which bases are made with`);
  }
  const month = Math.floor(Date.now() / (remakeAfterDays * 86_400_000));
  const key = digestOf([
    'toolbox',
    recipe,
    architecture,
    month,
    toolbox.archives.map(archiveIdentity),
  ]);
  const name: ImageName = { kind: 'toolbox', key };
  return await ensureImage(context, name, () =>
    makeToolbox(context, name, toolbox, { architecture, signal }),
  );
}

async function makeToolbox(
  context: Context,
  name: ImageName,
  { archives, aptOptions = [] }: Toolbox & { readonly kind: 'archives' },
  {
    architecture,
    signal,
  }: { readonly architecture: string; readonly signal: AbortSignal | undefined },
): Promise<string> {
  mkdirSync(context.folder, { recursive: true });
  const folder = mkdtempSync(join(context.folder, 'toolbox-'));
  try {
    const sources = writeSources(folder, archives, architecture);
    const child = spawn(
      'mmdebstrap',
      [
        ...[
          '--variant=apt',
          '--include=mmdebstrap',
          '--format=tar',
          `--architectures=${architecture}`,
        ],
        ...['Acquire::Languages "none"', ...aptOptions].map((line) => `--aptopt=${line}`),
        ...['--skip=chroot/mount', '', '-', sources],
      ],
      {
        env: {
          PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
          TMPDIR: folder,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: withinMs,
        killSignal: 'SIGTERM', // it cleans up
        ...(signal ? { signal } : {}),
      },
    );
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      told = (told + text).slice(-mostOutput);
    });
    const ended = once(child, 'close').then(([code]: unknown[]) => code);
    // the end of the stream waits for the exit status: half a file system must not become an image
    const tar = child.stdout.compose(async function* (pieces: AsyncIterable<Buffer>) {
      yield* pieces;
      const code = await ended;
      if (code !== 0)
        throw new ToolboxProblem(`mmdebstrap ended with ${String(code)}: ${told.slice(-2000)}`);
    });
    ended.catch((error: unknown) => tar.destroy(notStarted(error)));
    return await importImage(context, name, tar);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function notStarted(error: unknown): Error {
  return new ToolboxProblem(`mmdebstrap can't be run here: ${String(error)}`, { cause: error });
}

function writeSources(
  folder: string,
  archives: readonly DeclaredArchive[],
  architecture: string,
): string {
  const lines = archives.flatMap(({ uri, suites, components, key, frozen }, index) => {
    const file = join(folder, `key-${index}.asc`);
    writeFileSync(file, key);
    const options = `arch=${architecture} signed-by=${file}${frozen === true ? ' check-valid-until=no' : ''}`;
    return suites.map((suite) => ['deb', `[${options}]`, uri, suite, ...components].join(' '));
  });
  const list = join(folder, 'sources.list');
  writeFileSync(list, lines.map((line) => `${line}\n`).join(''));
  return list;
}

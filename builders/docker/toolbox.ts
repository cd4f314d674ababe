import type { Context } from './context.ts';
import { digestOf, withSlash, type DeclaredArchive } from './archives.ts';
import { closureOf, PackageMissing } from './closure.ts';
import { ArchiveUnreachable, fetchExpected } from './fetch-file.ts';
import { ensureImage, importImage, inspectImage, type ImageName } from './images.ts';
import { readIndexes, type ArchivePackage } from './indexes.ts';
import type { Pins } from './pins.ts';
import { ToolboxProblem } from './problems.ts';
import { rootTar, type PackedDeb } from './root-tar.ts';

export interface ToolboxInputs {
  readonly architecture: string;
  readonly archives: readonly DeclaredArchive[];
  readonly pins: Pins;
  /** An image that the engine has. Without a name, one is made of the archives. */
  readonly toolbox?: string | undefined;
  readonly log?: ((bytes: Buffer) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const recipe = 2;
const program = 'mmdebstrap';
const withinMs = 10 * 60_000;
const mostPackageBytes = 128 << 20;
const mostBytes = 1 << 30;
/** A mirror may have to fetch each package from far away first. */
const atOnce = 6;

/**
 * The id of an image that has mmdebstrap in it: one that the operator has named, else one of the packages of the archives that a base is to
 * be made of. They are read here and never run here: of what is in them only the engine makes files, and what runs of them runs in
 * workshops. The same packages are the same toolbox.
 */
export async function ensureToolbox(context: Context, inputs: ToolboxInputs): Promise<string> {
  const { toolbox, architecture } = inputs;
  if (toolbox !== undefined) {
    const found = await inspectImage(context, toolbox);
    if (found) return found.Id;
    throw new ToolboxProblem(`Docker has no image ${toolbox}, which bases are made with`);
  }
  const packages = await choosePackages(context, inputs);
  const digests = packages.map(({ sha256 }) => sha256).toSorted();
  const name: ImageName = {
    kind: 'toolbox',
    key: digestOf(['toolbox', recipe, architecture, digests]),
  };
  return await ensureImage(context, name, async () => {
    const say = (text: string) => inputs.log?.(Buffer.from(`${text}\n`));
    say(`unpacking ${packages.length} packages that ${program} needs`);
    const id = await importImage(context, name, rootTar(download(context, packages)));
    say(`${program} is ready`);
    return id;
  });
}

async function choosePackages(
  { dispatcher }: Context,
  { archives, architecture, pins, signal }: ToolboxInputs,
): Promise<readonly ArchivePackage[]> {
  const packages = await readIndexes(archives, { architecture, pins, dispatcher, signal });
  const chosen = choose();
  const bytes = chosen.reduce((sum, { size }) => sum + size, 0);
  if (bytes > mostBytes || chosen.some(({ size }) => size > mostPackageBytes)) {
    throw new ToolboxProblem(`the packages that ${program} needs are too large: ${bytes} bytes`);
  }
  return chosen;

  function choose(): readonly ArchivePackage[] {
    try {
      return closureOf(packages, [program]);
    } catch (error) {
      if (!(error instanceof PackageMissing)) throw error;
      throw new ToolboxProblem(
        `no root file system can be made of them: ${error.message}; ` +
          'add an archive that has it, or have Cairn use an image with mmdebstrap (--docker-toolbox)',
        { cause: error },
      );
    }
  }
}

/** In their order, some ahead of others. */
async function* download(
  context: Context,
  packages: readonly ArchivePackage[],
): AsyncGenerator<PackedDeb> {
  const stop = new AbortController();
  const begun: Promise<PackedDeb>[] = [];
  let next = 0;
  const begin = () => {
    const one = packages[next];
    next += 1;
    if (one === undefined) return;
    const coming = fetchDeb(context, one, stop.signal);
    coming.catch(() => {}); // told when its turn comes
    begun.push(coming);
  };
  try {
    for (let ahead = 0; ahead < atOnce; ahead += 1) begin();
    for (let coming = begun.shift(); coming; coming = begun.shift()) {
      yield await coming;
      begin();
    }
  } finally {
    stop.abort(new Error('no more packages are wanted'));
  }
}

async function fetchDeb(
  { dispatcher }: Context,
  one: ArchivePackage,
  signal: AbortSignal,
): Promise<PackedDeb> {
  const url = `${withSlash(one.archive.uri)}${one.path}`;
  const content = await fetchExpected(url, one.archive, one, { dispatcher, signal, withinMs });
  if (content) return { name: one.package, content };
  throw new ArchiveUnreachable(`${url} is not there, although the archive lists it`);
}

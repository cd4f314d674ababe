import { PassThrough } from 'node:stream';
import type { Context } from './context.ts';
import { digestOf, keyFile, keyFolder, sourcesList, type DeclaredArchive } from './archives.ts';
import { proxyEnvironment } from './context.ts';
import { ensureImage, importImage, type ImageName } from './images.ts';
import { resolveImage, type NamedImage } from './named-image.ts';
import { packFiles } from './pack.ts';
import { BaseProblem } from './problems.ts';
import { ensureToolbox, type ToolboxInputs } from './toolbox.ts';
import { inWorkshop } from './workshop.ts';

/** A root file system to build in. */
export type BaseRequest =
  | {
      readonly kind: 'archives';
      /** What it is made of; all that may be installed from when left out. */
      readonly archives?: readonly DeclaredArchive[] | undefined;
      readonly packages?: readonly string[] | undefined;
    }
  | ({ readonly kind: 'image' } & NamedImage);

/** build-essential, as Policy 4.2 has it, and what lets a build without root rights make root's files. */
export const basePackages: readonly string[] = ['build-essential', 'fakeroot'];

/** Another recipe makes other images of the same inputs. */
const recipe = 2;
const packageForm = /^[a-z0-9][a-z0-9+.-]*$/;
const mostPackages = 200;
const endOfLog = 2000;

export type BaseInputs = ToolboxInputs;

/** The name of the image that these inputs make. */
export function baseName(packages: readonly string[], inputs: BaseInputs): ImageName {
  const { architecture, archives, pins } = inputs;
  const key = digestOf([
    ...['base', recipe, architecture, packages.toSorted()],
    pins.contentOf(archives),
  ]);
  return { kind: 'base', key };
}

/** The id of the image of a base, which is made when it is not there yet. */
export async function ensureBase(
  context: Context,
  request: BaseRequest,
  allInputs: BaseInputs,
): Promise<string> {
  if (request.kind === 'image') return await resolveImage(context, request);
  const packages = request.packages ?? basePackages;
  if (packages.length > mostPackages || !packages.every((name) => packageForm.test(name))) {
    throw new BaseProblem('the packages of a base are up to 200 names of packages');
  }
  const inputs = { ...allInputs, archives: request.archives ?? allInputs.archives };
  const name = baseName(packages, inputs);
  return await ensureImage(context, name, () => makeBase(context, name, packages, inputs));
}

/**
 * mmdebstrap runs in a container, of the toolbox: the packages come from archives that users declare, and their maintainer
 * scripts are no more trustworthy than builds.
 */
async function makeBase(
  context: Context,
  name: ImageName,
  packages: readonly string[],
  inputs: BaseInputs,
): Promise<string> {
  const { architecture, archives, pins, log, signal } = inputs;
  const image = await ensureToolbox(context, inputs);
  return await inWorkshop(
    context,
    { image, archives, pinned: pins.files, signal },
    async (workshop) => {
      const list = `${keyFolder}/base.list`;
      const keys = archives.map(({ key }, index) => [keyFile(index), key] as const);
      const sources = sourcesList(archives, architecture);
      await workshop.put('/', packFiles({ ...Object.fromEntries(keys), [list]: sources }));
      const tar = new PassThrough();
      const imported = importImage(context, name, tar);
      imported.catch(() => tar.destroy());
      const done = await workshop
        .run(mmdebstrap(architecture, packages, list), {
          environment: { LC_ALL: 'C.UTF-8', ...proxyEnvironment },
          stdout: tar,
          log,
        })
        .catch(async (error: unknown) => {
          tar.destroy(error instanceof Error ? error : new Error(String(error)));
          await imported; // throws, with the reason if it is the one that has failed first
          throw error;
        });
      if (done.code === 0) tar.end();
      else tar.destroy(new BaseProblem(`mmdebstrap failed: ${tail(done.output)}`));
      return await imported;
    },
  );
}

function mmdebstrap(architecture: string, packages: readonly string[], list: string): string[] {
  return [
    ...['mmdebstrap', '--mode=root', '--variant=apt', '--format=tar'],
    '--skip=chroot/mount', // there are no rights to mount
    `--architectures=${architecture}`,
    `--include=${packages.join(',')}`,
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=Acquire::Retries "3"',
    '--aptopt=APT::Update::Error-Mode "any"',
    '--dpkgopt=force-unsafe-io',
    // what the sources are is said anew for each build
    '--customize-hook=rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*',
    ...['', '-', list],
  ];
}

/** What a program gave as the reason, else the end of what it said; on one line, for a message. */
export function tail(output: string): string {
  const lines = output.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  let isError = false;
  const errors = lines.filter((line) => {
    // dpkg goes on in lines that begin with a blank
    isError = /^(E|Err|W|error|dpkg): ?/i.test(line) || (isError && line.startsWith(' '));
    return isError;
  });
  const told = errors.length > 0 ? errors : lines;
  return told
    .map((line) => line.trim())
    .join(' · ')
    .slice(-endOfLog);
}

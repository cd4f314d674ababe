import { keysOf, type SourceKeys } from './apt-keys.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { AptMachine } from './apt-machine.ts';
import { groupSources, type AptMirror } from './apt-mirrors.ts';
import { readme, setFiles } from './init-set.ts';
import { manifestText } from './manifest-text.ts';
import { mirrorNames } from './mirror-names.ts';
import type { NewFile } from './new-files.ts';

/** A config repository that mirrors what a machine's apt uses; undefined when that is nothing. */
export async function aptFiles(
  machine: AptMachine,
  warn: (message: string) => void,
): Promise<readonly NewFile[] | undefined> {
  const usable: { mirror: AptMirror; keys: SourceKeys | undefined }[] = [];
  for (const mirror of groupSources(machine, warn)) {
    const keys = await keysOrWarning(mirror, machine, warn);
    if (keys !== 'none') usable.push({ mirror, keys });
  }
  const names = mirrorNames(usable.map(({ mirror }) => mirror));
  if (names.length === 0) return undefined;
  const files = await Promise.all(
    usable.map(({ mirror, keys }, index) => mirrorFiles(names[index] ?? '', mirror, keys)),
  );
  return [...files.flat(), ...(await setFiles(names)), readme(names)];
}

/** Undefined where the machine wants none: it trusts the archive whatever it says. */
async function keysOrWarning(
  { trusted, signedBy, origin }: AptMirror,
  { directory }: AptMachine,
  warn: (message: string) => void,
): Promise<SourceKeys | undefined | 'none'> {
  if (trusted && !signedBy) return undefined;
  try {
    return await keysOf(origin, directory);
  } catch (thrown) {
    if (!(thrown instanceof CairnError)) throw thrown;
    warn(`${origin.file}:${origin.line}: ${thrown.message}; left out`);
    return 'none';
  }
}

async function mirrorFiles(
  name: string,
  mirror: AptMirror,
  keys: SourceKeys | undefined,
): Promise<readonly NewFile[]> {
  const { url, suites, components, architectures, sources, trusted } = mirror;
  const spec = {
    url,
    suites,
    ...(components.length > 0 && { components }),
    architectures,
    ...(keys && {
      signedBy: {
        file: `../keys/${name}.asc`,
        ...(keys.fingerprints.length > 0 && { fingerprints: keys.fingerprints }),
      },
    }),
    ...(trusted && { allowUnsigned: true }),
    download: 'Lazy',
    public: true,
    interval: '1h',
    include: {
      sources,
      translations: ['en'],
      contents: false,
      appstream: false,
      commandNotFound: false,
    },
  };
  const comment =
    `From ${mirror.origin.file}. Lazy: pool files are fetched when somebody first asks for them;\n` +
    'change it to Eager for a full copy.';
  const manifest = await manifestText('Mirror', name, spec, comment);
  return [
    { path: `mirrors/${name}.yaml`, content: manifest },
    ...(keys ? [{ path: `keys/${name}.asc`, content: keys.armored }] : []),
  ];
}

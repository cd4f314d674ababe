import { readFile } from 'node:fs/promises';
import type { NewFile } from './new-files.ts';

const machineKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** A config repository with one of everything, each line of it explained. */
export async function exampleFiles(): Promise<readonly NewFile[]> {
  return [
    { path: 'mirrors/debian.yaml', content: mirror },
    (await debianKeys()) ?? { path: 'keys/README.md', content: keys },
    { path: 'mirrorset.yaml', content: mirrorSet },
    { path: 'snapshot.yaml', content: snapshot },
    { path: 'environment.yaml', content: environment },
  ];
}

/** The keys of Debian, where the machine has them. */
async function debianKeys(): Promise<NewFile | undefined> {
  const bytes = await readFile(machineKeyring).catch(() => undefined);
  if (!bytes) return undefined;
  const { armorKeyring } = await import('../../apt/openpgp.ts');
  return { path: 'keys/debian.asc', content: await armorKeyring(bytes) };
}

const mirror = `# A copy of an upstream archive. It is refreshed all at once or not at all.
apiVersion: cairn.build/v1alpha1
kind: Mirror
metadata:
  name: debian
spec:
  # The directory that holds dists/ and pool/.
  url: https://ftp.debian.org/debian
  suites: [bookworm, bookworm-updates]
  components: [main]
  architectures: [amd64]
  # Nothing is stored that these keys have not signed.
  signedBy:
    file: ../keys/debian.asc
  interval: 1h
  # Lazy: a package is fetched when somebody first asks for it. Eager: all of them, at once.
  download: Lazy
  # Served to everybody; without this line, to those who have a read token.
  public: true
`;

const keys = `Put the upstream's public keys here, armored or binary, as \`debian.asc\` for
\`mirrors/debian.yaml\`. Debian machines have them in ${machineKeyring}.
`;

const mirrorSet = `# Mirrors that are frozen together, at one instant.
apiVersion: cairn.build/v1alpha1
kind: MirrorSet
metadata:
  name: base
spec:
  mirrors:
    - name: debian
`;

const snapshot = `# An immutable freeze of a MirrorSet. For the next one, add another with a new name.
apiVersion: cairn.build/v1alpha1
kind: Snapshot
metadata:
  name: base-1
spec:
  mirrorSetRef:
    name: base
`;

const environment = `# What clients use, at a URL that stays. Promotion and rollback change this one line.
apiVersion: cairn.build/v1alpha1
kind: Environment
metadata:
  name: production
spec:
  snapshotRef:
    name: base-1
`;

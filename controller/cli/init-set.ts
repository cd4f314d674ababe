import { manifestText } from './manifest-text.ts';
import type { NewFile } from './new-files.ts';

/** What follows from mirrors: their set, a first snapshot of it, and an environment that serves it. */
export async function setFiles(mirrors: readonly string[]): Promise<readonly NewFile[]> {
  const set = { mirrors: mirrors.map((name) => ({ name })) };
  const snapshot = { mirrorSetRef: { name: 'base' } };
  const environment = { snapshotRef: { name: 'base-1' } };
  return [
    {
      path: 'mirrorset.yaml',
      content: await manifestText('MirrorSet', 'base', set, 'These mirrors are frozen together.'),
    },
    {
      path: 'snapshot.yaml',
      content: await manifestText(
        'Snapshot',
        'base-1',
        snapshot,
        'Taken once, when all mirrors are ready; never changes. For the next one, add a document\n' +
          'with the name base-2 below, after a line with three dashes.',
      ),
    },
    {
      path: 'environment.yaml',
      content: await manifestText(
        'Environment',
        'production',
        environment,
        'What clients use. To promote a newer snapshot, or to go back, change snapshotRef.',
      ),
    },
  ];
}

export function readme(mirrors: readonly string[]): NewFile {
  const list = mirrors.map((name) => `- \`mirrors/${name}.yaml\``).join('\n');
  return {
    path: 'README.md',
    content: `# Configuration of Cairn

Cairn makes true what is declared here: \`cairn run --config .\`

${list}
- \`mirrorset.yaml\`: the mirrors that are frozen together
- \`snapshot.yaml\`: the freezes; each is made once and never changes
- \`environment.yaml\`: what clients use; it points at one snapshot

| to | do |
|---|---|
| check a change | \`cairn validate .\` |
| see what it would do | \`cairn plan .\` |
| freeze the mirrors again | add a Snapshot with another name |
| see what is new in it | \`cairn diff environment/production base-2\` |
| promote it | change \`snapshotRef\` in \`environment.yaml\` |
| roll back | change it back |
`,
  };
}

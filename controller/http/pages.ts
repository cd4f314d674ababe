import type { Environment } from '../../crds/environment.ts';
import { conditionOf } from '../../crds/object.ts';
import type { Directory, DirectoryEntry } from './directory.ts';
import { html, page, type Html } from './html.ts';
import { urlPath } from './request-path.ts';

/** Rows of one page: a flat repository may have tens of thousands of files. */
const mostRows = 10_000;

/** One thing that can be chosen on an overview page. */
export interface Choice {
  readonly name: string;
  readonly note: string;
}

/** A directory of a tree, or of mounts. */
export function directoryPage(segments: readonly string[], { entries, hidden }: Directory): string {
  const shown = entries.slice(0, mostRows);
  return page(
    `/${segments.join('/')}/`,
    html`<table>
        <tr>
          <th>Name</th>
          <th>Bytes</th>
        </tr>
        <tr>
          <td><a href="../">../</a></td>
          <td></td>
        </tr>
        ${shown.map(row)}
      </table>
      ${entries.length > shown.length ? [note(`${entries.length - shown.length} more are not shown.`)] : []}
      ${hidden ? [privateNote] : []}`,
  );
}

/** All snapshots, environments or mirrors. */
export function overviewPage(title: string, choices: readonly Choice[], hint: string): string {
  return page(
    title,
    html`<p class="note">${hint}</p>
      ${table(choices)}
      <p><a href="/">up</a></p>`,
  );
}

export interface RootPage {
  /** The scheme and host that this client uses. */
  readonly base: string;
  readonly environments: readonly Choice[];
  readonly live: Directory;
}

/** What this server is, and how to use it. */
export function rootPage({ base, environments, live }: RootPage): string {
  const name = environments[0]?.name ?? 'NAME';
  const commands = [
    `curl -fsS ${base}/environments/${name}/client.sources | sudo tee /etc/apt/sources.list.d/cairn.sources`,
    `curl -fsS ${base}/environments/${name}/apt.conf | sudo tee /etc/apt/apt.conf.d/60cairn`,
    'sudo apt update',
  ];
  return page(
    'Cairn',
    html`<p>
        This server mirrors APT archives, freezes them into snapshots, and serves environments:
        stable addresses whose content is one snapshot at a time.
      </p>
      <h2>Use an environment</h2>
      <pre>${commands.join('\n')}</pre>
      <h2>Environments</h2>
      ${table(environments.map((choice) => ({ ...choice, name: `environments/${choice.name}` })))}
      <h2>Frozen</h2>
      <p>
        <a href="/snapshots/">snapshots/</a>: byte for byte what upstream published at one instant.
      </p>
      <h2>Live mirrors</h2>
      <table>
        ${live.entries.map(row)}
      </table>
      ${live.hidden ? [privateNote] : []}
      <p><a href="/mirrors/">mirrors/</a>: the same by name, with client configuration.</p>
      <h2>Published here</h2>
      <p><a href="/repositories/">repositories/</a>: archives of this server's own.</p>`,
  );
}

/** One environment or snapshot: what it is, its files for clients, its mounts. */
export interface AreaPage {
  readonly title: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly files: readonly string[];
  readonly directory: Directory;
  readonly history?: readonly Choice[];
}

export function areaPage({ title, facts, files, directory, history }: AreaPage): string {
  return page(
    title,
    html`<table>
        ${facts.map(
          ([key, value]) =>
            html`<tr>
              <th>${key}</th>
              <td>${value}</td>
            </tr>`,
        )}
      </table>
      <h2>For clients</h2>
      <p>${files.map((file) => html`<a href="${file}">${file}</a> `)}</p>
      <h2>Archives</h2>
      <table>
        ${directory.entries.map(row)}
      </table>
      ${directory.hidden ? [privateNote] : []}
      ${
        history && history.length > 0
          ? [
              html`<h2>Before</h2>
                ${table(history, '/snapshots')}`,
            ]
          : []
      }
      <p><a href="../">up</a></p>`,
  );
}

/** What people want to know about an environment. */
export function environmentFacts({ status }: Environment): (readonly [string, string])[] {
  const ready = conditionOf({ status }, 'Ready');
  const { published } = status ?? {};
  const facts: [string, string][] = [];
  if (ready)
    facts.push(['State', `${ready.status === 'True' ? 'Ready' : ready.reason}: ${ready.message}`]);
  if (!published) return [...facts, ['Snapshot', 'nothing is published yet']];
  facts.push(['Snapshot', published.snapshot], ['Since', published.promotedAt]);
  facts.push(['Release date', published.date]);
  if (published.validUntil !== undefined) facts.push(['Valid until', published.validUntil]);
  for (const key of status?.keys ?? []) facts.push(['Signing key', key.fingerprint]);
  return facts;
}

const privateNote = note('Private archives are shown only with the read token.');

function note(text: string): Html {
  return html`<p class="note">${text}</p>`;
}

function row({ name, size }: DirectoryEntry): Html {
  const label = size === undefined ? `${name}/` : name;
  const link = `.${urlPath([name], size === undefined)}`;
  return html`<tr>
    <td><a href="${link}">${label}</a></td>
    <td class="size">${size ?? ''}</td>
  </tr> `;
}

function table(choices: readonly Choice[], root = '.'): Html {
  if (choices.length === 0) return note('None yet.');
  const rows = choices.map(({ name, note: text }) => {
    const link = `${root}${urlPath(name.split('/'), true)}`;
    return html`<tr>
      <td><a href="${link}">${name}</a></td>
      <td>${text}</td>
    </tr> `;
  });
  return html`<table>
    ${rows}
  </table>`;
}

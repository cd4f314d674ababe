import { kindNamed } from '../../crds/index.ts';
import type { KubeObject, Manifest } from '../../crds/object.ts';
import { validateManifest, type Validation } from '../../crds/validate.ts';
import { isSame } from '../json.ts';
import { readDocuments } from '../sources/documents.ts';
import { givenOf } from '../sources/given.ts';
import { itemsOf, problemOfItem } from '../sources/items.ts';
import { signedByOf } from '../sources/key-files.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { CliError, exit, parseOptions, UsageError, type Command, type Io } from './command.ts';
import { formatProblem, readPath } from './manifest-files.ts';
import { connect, objectOptions } from './server-options.ts';
import { nameOf } from './targets.ts';

const manager = 'cairn-cli';
/** Of one manifest; with any other answer, the next one would fare no better. */
const refusals: ReadonlySet<number> = new Set([400, 409, 422]);

const options = {
  filename: {
    type: 'string',
    short: 'f',
    multiple: true,
    value: 'PATH',
    description: 'a file or directory of manifests; - is standard input',
  },
  ...objectOptions,
} as const;

export const command: Command = {
  name: 'apply',
  summary: 'Makes the server hold what manifests declare.',
  usage: ['apply -f FILE|DIR|-'],
  options,
  exits: { 3: 'some manifests are wrong, or were refused; the others are applied' },
  examples: ['cairn apply -f snapshot.yaml'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    const paths = values.filename ?? [];
    if (paths.length === 0 || positionals.length > 0)
      throw new UsageError('expected -f FILE|DIR|-');
    const { manifests, problems } = await readAll(paths, io);
    for (const problem of problems) io.err(problem);
    if (manifests.length === 0 && problems.length === 0)
      throw new CliError('there are no manifests');
    const client = await connect(values, io);
    let refused = 0;
    for (const manifest of manifests) {
      if (!(await applyOne(client, manifest, client.namespace, io))) refused += 1;
    }
    return problems.length + refused === 0 ? exit.good : exit.notAsDesired;
  },
};

interface Input {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly string[];
}

async function readAll(paths: readonly string[], io: Io): Promise<Input> {
  const inputs: Input[] = [];
  for (const path of paths)
    inputs.push(path === '-' ? await readInput(io) : await readFiles(path, io));
  return {
    manifests: inputs.flatMap(({ manifests }) => manifests),
    problems: inputs.flatMap(({ problems }) => problems),
  };
}

async function readFiles(path: string, io: Io): Promise<Input> {
  const { manifests, problems } = await readPath(path, io);
  return {
    manifests: manifests.map(({ manifest }) => manifest),
    problems: problems.map(formatProblem),
  };
}

/** Key files can't be named there: they would be relative to nothing. */
async function readInput(io: Io): Promise<Input> {
  const chunks: Buffer[] = [];
  for await (const chunk of io.input) chunks.push(Buffer.from(chunk));
  const { documents, problems } = readDocuments(Buffer.concat(chunks).toString('utf8'), 'stdin');
  const manifests: Manifest[] = [];
  const found = [...problems, ...documents.flatMap((document) => document.problems)];
  for (const document of documents) {
    for (const item of itemsOf(document)) {
      const { manifest, problems } = validateInput(item.value);
      found.push(...problems.map((problem) => problemOfItem(item, problem)));
      const good = problems.length + document.problems.length === 0;
      if (manifest && good) manifests.push(givenOf(manifest, item.value));
    }
  }
  return { manifests, problems: found.map(formatProblem) };
}

function validateInput(value: unknown): Validation {
  const validation = validateManifest(value, { ignoreServerFields: true });
  if (!validation.manifest || signedByOf(validation.manifest).file === undefined) return validation;
  const message = 'standard input lies in no directory; give the keys as inline';
  return { problems: [{ path: ['spec', 'signedBy', 'file'], message }] };
}

async function applyOne(
  client: ApiClient,
  manifest: Manifest,
  fallback: string,
  io: Io,
): Promise<boolean> {
  const { name, namespace = fallback } = manifest.metadata;
  const kind = kindNamed(manifest.kind);
  if (!kind) throw new CliError(`there is no kind ${manifest.kind}`); // validation knows the same kinds
  const target = { kind, namespace, name };
  try {
    const before = await client.get(target);
    const after = await client.apply(target, manifest, manager);
    const outcome = !before ? 'created' : isAsBefore(before, after) ? 'unchanged' : 'configured';
    io.out(`${nameOf(target)} ${outcome}`);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof ApiError && refusals.has(thrown.code))) throw thrown;
    io.err(`${nameOf(target)} refused: ${thrown.message}`);
    return false;
  }
}

/** An API server may write an object again for its own reasons: defaults that are stored only now. */
function isAsBefore({ metadata: before }: KubeObject, { metadata: after }: KubeObject): boolean {
  const isSameText = before.resourceVersion === after.resourceVersion;
  const declared = ({ generation, labels, annotations }: KubeObject['metadata']) => {
    return { generation, labels, annotations };
  };
  return isSameText || isSame(declared(before), declared(after));
}

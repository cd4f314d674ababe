import { RepositoryKind } from '../../crds/repository.ts';
import { UploadKind } from '../../crds/upload.ts';
import { uploadManifest } from '../../reconcilers/repository/upload-manifest.ts';
import { exit, parseOptions, UsageError, type Command, type Io } from './command.ts';
import type { ApiClient, Target } from './api-client.ts';
import { readyMessage, type Goal } from './goal.ts';
import { asAnyObject, at, requireObject, stringAt } from './objects.ts';
import { filesToPublish } from './publish-files.ts';
import { sendFiles } from './publish-upload.ts';
import { connect, objectOptions } from './server-options.ts';
import { parseTimeout, timeoutOption, waitFor } from './waiting.ts';

const options = {
  suite: {
    type: 'string',
    value: 'NAME',
    description: 'the suite; that of the .changes, or else the first',
  },
  component: {
    type: 'string',
    value: 'NAME',
    description: 'the component; that of the section, or else the first',
  },
  ...timeoutOption,
  ...objectOptions,
} as const;

export const command: Command = {
  name: 'publish',
  summary: 'Publishes packages into a Repository.',
  usage: [
    'publish REPOSITORY FILE.deb… [--suite NAME] [--component NAME]',
    'publish REPOSITORY FILE.changes',
  ],
  options,
  exits: { 3: 'refused, all of it; or not published when the time was over' },
  examples: [
    'cairn publish tools hello_1.0_amd64.deb',
    'cairn publish tools hello_1.0_amd64.changes',
  ],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    const [name, ...paths] = positionals;
    if (name === undefined || paths.length === 0) {
      throw new UsageError('expected the name of a Repository, and files');
    }
    const timeoutMs = parseTimeout(values.timeout);
    const files = await filesToPublish(paths, io);
    const client = await connect(values, io);
    const { namespace } = client;
    const bare = name.replace(/^(repositor(y|ies)|repo)\//i, '');
    const repository = await requireObject(client, { kind: RepositoryKind, namespace, name: bare });
    const sent = await sendFiles(client, files, { namespace, name: bare }, io);
    const upload = { kind: UploadKind, namespace, name: uploadName(bare) };
    const { suite, component } = values;
    const about = { name: upload.name, files: sent, suite, component };
    const manifest = uploadManifest({ repository, ...about });
    await client.create(upload, manifest);
    return tellResult(client, upload, timeoutMs, io);
  },
};

const longestName = 253;

/** One of its own for each call: whoever publishes again wants another answer. */
function uploadName(repository: string): string {
  const random = crypto.randomUUID().replaceAll('-', '').slice(0, 12);
  return `${repository.slice(0, longestName - random.length - 1)}-${random}`;
}

async function tellResult(
  client: ApiClient,
  target: Target,
  timeoutMs: number,
  io: Io,
): Promise<number> {
  const quiet: Io = Object.assign(Object.create(io) as Io, { out: () => {} });
  const waited = await waitFor({ client, targets: [target], goal: dealtWith, timeoutMs }, quiet);
  if (waited !== exit.good) return waited;
  const found = await client.get(target);
  const status = found && asAnyObject(found).status;
  if (stringAt(status, 'result') !== 'Published') {
    io.err(`refused, all of it: ${stringAt(status, 'message') ?? 'the Upload is gone'}`);
    return exit.notAsDesired;
  }
  const packages = at(status, 'packages');
  for (const name of Array.isArray(packages) ? packages : []) io.out(`published ${String(name)}`);
  return exit.good;
}

const dealtWith: Goal = {
  reached: 'dealt with',
  isReached: (object) => stringAt(object?.status, 'result') !== undefined,
  explain: (object) => (object ? readyMessage(object) : 'it does not exist'),
};

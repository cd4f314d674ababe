import { UploadKind } from '../../crds/upload.ts';
import { uploadManifest } from '../../reconcilers/repository/upload-manifest.ts';
import { parseOptions, UsageError, type Command } from './command.ts';
import { filesToPublish } from './publish-files.ts';
import { sendFiles } from './publish-upload.ts';
import { connect, objectOptions } from './server-options.ts';
import { nameUpload, repositoryNamed, tellResult } from './uploads.ts';
import { parseTimeout, timeoutOption } from './waiting.ts';

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
    const repository = await repositoryNamed(client, name);
    const sent = await sendFiles(client, files, repository.metadata, io);
    const upload = { kind: UploadKind, namespace, name: nameUpload(repository) };
    const { suite, component } = values;
    const about = { name: upload.name, files: sent, suite, component };
    const manifest = uploadManifest({ repository, ...about });
    await client.create(upload, manifest);
    return tellResult(client, upload, timeoutMs, io);
  },
};

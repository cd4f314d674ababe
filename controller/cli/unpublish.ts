import { mostRemovals, UploadKind, type Removal } from '../../crds/upload.ts';
import { removalManifest } from '../../reconcilers/repository/upload-manifest.ts';
import { parseOptions, UsageError, type Command } from './command.ts';
import { connect, objectOptions } from './server-options.ts';
import { nameUpload, repositoryNamed, tellResult } from './uploads.ts';
import { parseTimeout, timeoutOption } from './waiting.ts';

const options = {
  source: {
    type: 'boolean',
    description: 'these are source packages: with every package that was built from them',
  },
  architecture: {
    type: 'string',
    value: 'NAME',
    description: 'what is for this architecture alone',
  },
  suite: { type: 'string', value: 'NAME', description: 'from this suite; else from every one' },
  component: {
    type: 'string',
    value: 'NAME',
    description: 'from this component; else from every one',
  },
  'ignore-missing': { type: 'boolean', description: 'it may be that they are not there' },
  ...timeoutOption,
  ...objectOptions,
} as const;

export const command: Command = {
  name: 'unpublish',
  summary: 'Takes packages out of a Repository.',
  usage: ['unpublish REPOSITORY PACKAGE[=VERSION]… [--source] [--suite NAME] [--component NAME]'],
  options,
  exits: { 3: 'refused, all of it; or not done when the time was over' },
  examples: ['cairn unpublish tools hello=1.0', 'cairn unpublish tools --source hello'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    const [name, ...words] = positionals;
    if (name === undefined || words.length === 0) {
      throw new UsageError('expected the name of a Repository, and packages');
    }
    if (words.length > mostRemovals) {
      throw new UsageError(`${words.length} packages are more than the ${mostRemovals} at a time`);
    }
    const { source = false, architecture, suite, component } = values;
    if (source && architecture !== undefined) {
      throw new UsageError('--source takes no --architecture: all that was built from it goes');
    }
    const timeoutMs = parseTimeout(values.timeout);
    const remove = words.map((word) => removalOf(word, { source, architecture }));
    const client = await connect(values, io);
    const repository = await repositoryNamed(client, name);
    const { namespace } = client;
    const upload = { kind: UploadKind, namespace, name: nameUpload(repository) };
    const ignoreMissing = values['ignore-missing'] ?? false;
    const about = { name: upload.name, remove, suite, component, ignoreMissing };
    await client.create(upload, removalManifest({ repository, ...about }));
    return tellResult(client, upload, timeoutMs, io);
  },
};

/** Of `PACKAGE` or `PACKAGE=VERSION`. */
function removalOf(
  word: string,
  { source, architecture }: { readonly source: boolean; readonly architecture: string | undefined },
): Removal {
  const [name = '', version] = word.split(/=(.*)/s);
  if (name === '' || version === '') {
    throw new UsageError(`expected PACKAGE or PACKAGE=VERSION instead of ${word}`);
  }
  return {
    ...(source ? { source: name } : { package: name }),
    ...(version === undefined ? {} : { version }),
    ...(architecture === undefined ? {} : { architecture }),
  };
}

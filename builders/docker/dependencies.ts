import { digestOf, insideUri, keyFile, sourcesList } from './archives.ts';
import { tail, type BaseInputs } from './base.ts';
import { builderGroup, builderId, builderName, buildFolder } from './build-user.ts';
import { proxyEnvironment, type Context } from './context.ts';
import { commitImage, ensureImage, findImage, type ImageName } from './images.ts';
import { packFiles } from './pack.ts';
import { BaseProblem } from './problems.ts';
import { unmetDependencies } from './unmet.ts';
import { inWorkshop, type Workshop } from './workshop.ts';

/** The declared archives don't have what a build depends on. */
export class Unmet extends Error {
  override readonly name = 'Unmet';
  readonly missing: readonly string[];

  constructor(missing: readonly string[], message: string) {
    super(message);
    this.missing = missing;
  }
}

const recipe = 2;
const controlFolder = '/tmp/cairn-build';

const environment = {
  LC_ALL: 'C',
  DEBIAN_FRONTEND: 'noninteractive',
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  ...proxyEnvironment,
};

const aptConfiguration = `APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "3";
DPkg::Options { "--force-unsafe-io"; "--force-confdef"; "--force-confold"; };
`;

/** Nothing is started in a container of builds (invoke-rc.d, policy-rc.d). */
const startNothing = '#!/bin/sh\nexit 101\n';

export interface LayerInputs extends BaseInputs {
  /** The id of an image. */
  readonly base: string;
  /** Of `dependencyParagraph`. */
  readonly paragraph: string;
}

export function layerName({
  base,
  paragraph,
  archives,
  pins,
  architecture,
}: LayerInputs): ImageName {
  const key = digestOf([
    ...['layer', recipe, base, architecture, paragraph],
    archives.map((one) => [insideUri(one), one.suites, one.components, digestOf(one.key)]),
    pins.contentOf(archives),
  ]);
  return { kind: 'layer', key };
}

/**
 * The image of a base with everything installed that a build depends on. It is made when it is not there yet; else apt doesn't
 * run, and nothing but the archives' Release files is read.
 */
export async function ensureLayer(
  context: Context,
  inputs: LayerInputs,
): Promise<{ readonly id: string; readonly made: boolean }> {
  const name = layerName(inputs);
  const found = await findImage(context, name);
  if (found !== undefined) return { id: found, made: false };
  const { base, archives, pins, signal } = inputs;
  const id = await ensureImage(context, name, () =>
    inWorkshop(context, { image: base, archives, pinned: pins.files, signal }, async (workshop) => {
      await install(workshop, inputs);
      await workshop.container.kill().catch(() => {});
      return await commitImage(context, name, workshop.container);
    }),
  );
  return { id, made: true };
}

async function install(workshop: Workshop, inputs: LayerInputs): Promise<void> {
  const { log } = inputs;
  const shell = (script: string) => workshop.run(['sh', '-euc', script], { environment, log });
  const cleared = await shell(
    'rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/preferences.d/* /var/lib/apt/lists/*',
  );
  if (cleared.code !== 0) throw new BaseProblem(`the base can't be used: ${tail(cleared.output)}`);
  await workshop.put('/', packFiles(filesOf(inputs)));

  const updated = await shell('chmod 755 /usr/sbin/policy-rc.d; exec apt-get update');
  if (updated.code !== 0) throw new BaseProblem(`apt-get update failed: ${tail(updated.output)}`);

  const installed = await shell(
    `exec apt-get build-dep --yes --no-install-recommends ${controlFolder}`,
  );
  if (installed.code !== 0) throw installFailure(installed.output);

  const finished = await shell(finish);
  if (finished.code !== 0)
    throw new BaseProblem(`the base can't be used: ${tail(finished.output)}`);
}

function filesOf({ archives, architecture, paragraph }: LayerInputs): Record<string, string> {
  return {
    ...Object.fromEntries(archives.map(({ key }, index) => [keyFile(index), key])),
    '/etc/apt/sources.list': sourcesList(archives, architecture),
    '/etc/apt/apt.conf.d/99cairn': aptConfiguration,
    '/usr/sbin/policy-rc.d': startNothing,
    [`${controlFolder}/debian/control`]: `${paragraph}\nPackage: cairn-build\nArchitecture: any\n`,
  };
}

function installFailure(output: string): Error {
  const missing = unmetDependencies(output);
  if (missing === undefined) return new BaseProblem(`apt-get build-dep failed: ${tail(output)}`);
  const named = missing.length > 0 ? missing.join(', ') : tail(output);
  return new Unmet(missing, `the declared archives don't have what it needs: ${named}`);
}

/** A user to build as, and no leftovers that differ from time to time. */
const finish = `
getent group ${builderGroup} >/dev/null || echo '${builderName}:x:${builderGroup}:' >>/etc/group
getent passwd ${builderId} >/dev/null ||
  echo '${builderName}:x:${builderId}:${builderGroup}::${buildFolder}/home:/bin/sh' >>/etc/passwd
mkdir -p ${buildFolder}/home ${buildFolder}/source
chown -R ${builderId}:${builderGroup} ${buildFolder}
apt-get clean
rm -rf ${controlFolder} /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
perl -MIO::Socket::INET -MTime::HiRes -e 1
`;

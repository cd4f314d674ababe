/** The chart by itself: `helm lint`, `helm template`, its schema, its page. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { parseOptions } from '../../controller/cli/command.ts';
import { loadCommand } from '../../controller/cli/commands.ts';
import { crdFile, crdYaml } from '../../crds/crd.ts';
import { kinds } from '../../crds/index.ts';
import { helmOf, needsHelm } from '../world/helm.ts';
import { suiteScope } from '../world/temp.ts';
import {
  argsOf,
  chart,
  namespace,
  only,
  podTemplate,
  release,
  rendered,
  rulesOf,
  template,
} from './chart.ts';
import { matrix, refused, type Values } from './matrix.ts';

const text = (file: string) => readFileSync(path.join(chart, file), 'utf8');

describe('helm', needsHelm, () => {
  const helm = helmOf(suiteScope());

  for (const [name, values] of Object.entries(matrix)) {
    it(`finds nothing wrong with ${name}`, async () => {
      const args = ['lint', '--strict', chart, '--values', '-'];
      const { code, output } = await helm(args, JSON.stringify(values));
      assert.equal(code, 0, output);
      assert.doesNotMatch(output, /WARNING|ERROR/);
    });

    it(`starts cairn with options that it has: ${name}`, async () => {
      const [command = '', ...args] = argsOf(await rendered(helm, values));
      const { options = {} } = (await loadCommand(command)) ?? {};
      parseOptions(args, options);
    });

    it(`lets nothing run as root, or write where it should not: ${name}`, async () => {
      const { spec } = podTemplate(await rendered(helm, values));
      const said = JSON.stringify(spec);
      assert.match(said, /"runAsNonRoot":true,"runAsUser":65532/);
      assert.match(said, /"readOnlyRootFilesystem":true/);
      assert.match(said, /"allowPrivilegeEscalation":false/);
      assert.match(said, /"capabilities":{"drop":\["ALL"\]}/);
      assert.doesNotMatch(said, /hostPath|hostNetwork|hostPID|privileged/);
      const mounts = spec.containers.flatMap(({ volumeMounts }) => volumeMounts);
      assert.deepEqual(
        mounts.map((mount) => mount.name).sort(),
        spec.volumes.map((volume) => volume.name).sort(),
      );
    });
  }

  for (const [what, [values, word]] of Object.entries(refused)) {
    it(`refuses ${what}`, async () => {
      const args = ['template', 'cairn', chart, '--values', '-'];
      const { code, stderr } = await helm(args, JSON.stringify(values));
      assert.notEqual(code, 0);
      assert.match(stderr, new RegExp(`don't meet the specifications of the schema.*${word}`, 's'));
    });
  }

  it('has a Pod ended for what a restart mends, and no other for its clients to use', async () => {
    const said = JSON.stringify(podTemplate(await rendered(helm, {})).spec);
    assert.match(said, /"livenessProbe":{[^}]*"httpGet":{"path":"\/livez"/);
    assert.match(said, /"startupProbe":{[^}]*"httpGet":{"path":"\/livez"/);
    assert.match(said, /"readinessProbe":{[^}]*"httpGet":{"path":"\/readyz"/);
  });

  it('refuses several replicas on a volume that one can write', async () => {
    const { code, stderr } = await helm(['template', release, chart, '--set', 'replicas=2']);
    assert.notEqual(code, 0);
    assert.match(stderr, /replicas: more than one need a volume that all of them can write/);
  });

  it('renders the same objects each time', async () => {
    const all = matrix['everything there is'] ?? {};
    assert.equal(await template(helm, all), await template(helm, all));
  });

  it('keeps the definitions of all kinds, and the data, on uninstall', async () => {
    const objects = await rendered(helm, {});
    const kept = objects
      .filter(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy'] === 'keep')
      .map(({ metadata }) => metadata.name);

    const wanted = [...kinds.map(({ plural }) => `${plural}.cairn.build`), 'cairn-data'];
    assert.deepEqual(kept.sort(), wanted.sort());
  });

  it('declares each kind as crds/ does', async () => {
    const objects = await rendered(helm, {});
    const specs = objects
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .map(({ metadata, spec }) => [metadata.name, spec]);

    const wanted = kinds.map((kind) => {
      const { metadata, spec } = load(crdYaml(kind)) as {
        metadata: { name: string };
        spec: object;
      };
      return [metadata.name, spec];
    });
    assert.deepEqual(Object.fromEntries(specs), Object.fromEntries(wanted));
  });

  it('grants in the namespaces of its objects and of its Pod only, and never all', async () => {
    for (const values of Object.values(matrix)) {
      const objects = await rendered(helm, values);
      assert.deepEqual(
        objects.filter(({ kind }) => kind.startsWith('ClusterRole')),
        [],
      );
      assert.doesNotMatch(JSON.stringify(rulesOf(objects)), /"\*"/);
    }
    const objects = await rendered(helm, matrix['another namespace'] ?? {});
    const roles = objects.filter(({ kind }) => kind === 'Role');
    assert.deepEqual(
      roles.map(({ metadata }) => [metadata.name, metadata.namespace]),
      [
        ['cairn', 'archives'],
        ['cairn-vault', namespace],
      ],
    );
    assert.equal(only(objects, 'Deployment').metadata.namespace, namespace);
    assert.ok(argsOf(objects).includes('--namespace=archives'));
  });

  it('lets Cairn get the Secrets that are listed, and write its own', async () => {
    const keys = [...'0123456789abcdef'].map((digit) => `cairn-keys-${digit}`);
    const own = [`cairn-tokens, ${keys.join(', ')}: get patch`, 'any: create'];
    const wanted = {
      'the defaults': ['any: get', ...own],
      'everything there is': ['git, debian.keys: get', ...own],
      'manifests without Secrets': own,
      'one for the config source, and others': ['git, login: get', ...own],
      'one for the config source alone': ['login: get', ...own],
    };
    const config = { location: 'https://git.example.com/apt.git', secretName: 'login' };
    const more: Readonly<Record<string, Values>> = {
      'one for the config source, and others': { config, secrets: ['git'] },
      'one for the config source alone': { config, rbac: { secrets: false } },
    };
    for (const [name, rights] of Object.entries(wanted)) {
      const rules = rulesOf(await rendered(helm, matrix[name] ?? more[name] ?? {}));
      const about = rules.filter(({ resources }) => resources.includes('secrets'));
      const told = about.map(
        ({ resourceNames, verbs }) => `${resourceNames?.join(', ') ?? 'any'}: ${verbs.join(' ')}`,
      );
      assert.deepEqual(told, rights, name);
    }
  });

  it('has Sources built on an engine, with certificates that no right is needed for', async () => {
    const objects = await rendered(helm, matrix['everything there is'] ?? {});
    assert.deepEqual(
      argsOf(objects).filter((arg) => arg.startsWith('--docker')),
      [
        '--docker=tcp://docker.example.com:2376',
        '--docker-tls=/etc/cairn/docker',
        '--docker-toolbox=registry.example.com:5000/mmdebstrap:1',
        '--docker-concurrency=8',
      ],
    );
    const { volumes } = podTemplate(objects).spec;
    assert.deepEqual(
      volumes.find(({ name }) => name === 'docker-tls'),
      { name: 'docker-tls', secret: { secretName: 'docker-client', defaultMode: 0o440 } },
    );
    const policy = JSON.stringify(only(objects, 'NetworkPolicy').spec);
    assert.match(policy, /{"protocol":"TCP","port":2376}/);
    assert.doesNotMatch(JSON.stringify(await rendered(helm, {})), /docker-tls|--docker/);
  });

  it('lets replicas ask the one that works, whoever else may', async () => {
    const labels = { 'app.kubernetes.io/name': 'cairn', 'app.kubernetes.io/instance': release };
    const replicas = [{ podSelector: { matchLabels: labels } }];
    const port = (name: string | number) => [{ protocol: 'TCP', port: name }];
    const objects = await rendered(helm, matrix['replicas on a bucket'] ?? {});
    const [{ env = [] } = {}] = podTemplate(objects).spec.containers;
    assert.ok(argsOf(objects).includes('--advertise=$(POD_IP)'));
    assert.deepEqual(env, [
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'NO_PROXY', value: 'example.com' },
    ]);
    const policy = only(objects, 'NetworkPolicy').spec as NetworkPolicy;
    assert.deepEqual(policy.ingress, [
      { ports: port('http'), from: [{ namespaceSelector: {} }] },
      { ports: port('http'), from: replicas },
    ]);
    assert.deepEqual(policy.egress[0], { ports: port(8080), to: replicas });

    const alone = await rendered(helm, matrix['everything there is'] ?? {});
    assert.ok(!argsOf(alone).some((arg) => arg.startsWith('--advertise')));
    assert.doesNotMatch(
      JSON.stringify(only(alone, 'NetworkPolicy')),
      /podSelector":{"matchLabels":{[^}]*}}}\]/,
    );
  });

  it('says how clients reach Cairn behind an ingress', async () => {
    const urlOf = async (name: string) =>
      argsOf(await rendered(helm, matrix[name] ?? {})).find((arg) => /external-url/.test(arg));
    assert.equal(await urlOf('everything there is'), '--external-url=https://apt.example.com');
    assert.equal(await urlOf('an ingress without TLS'), '--external-url=http://apt.example.com');
    assert.equal(await urlOf('the defaults'), undefined);
  });
});

describe('charts/cairn', () => {
  it('has the definitions that crds/ has', () => {
    const files = readdirSync(path.join(chart, 'files/crds'));
    assert.deepEqual(files.sort(), kinds.map(crdFile).sort());
    for (const kind of kinds) assert.equal(text(`files/crds/${crdFile(kind)}`), crdYaml(kind));
  });

  it('is of the version that package.json says', () => {
    const { version } = JSON.parse(readFileSync(path.join(chart, '../../package.json'), 'utf8'));
    assert.equal((load(text('Chart.yaml')) as { appVersion: string }).appVersion, version);
  });

  it('tells of every value on its page, and in its schema', () => {
    const values = load(text('values.yaml')) as object;
    const [, page = ''] = /^## Values$(.*?)^## /ms.exec(text('README.md')) ?? [];
    const told = [...page.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    assert.deepEqual(told, namesOf(values, JSON.parse(text('values.schema.json'))));
  });
});

interface NetworkPolicy {
  readonly ingress: readonly object[];
  readonly egress: readonly object[];
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** The values that have no values of their own by the schema: `image.tag`, `resources.limits`. */
function namesOf(values: object, schema: Schema, prefix = ''): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const own = schema.properties?.[name];
    assert.ok(own, `the schema lacks ${prefix}${name}`);
    return own.properties && typeof value === 'object' && value !== null
      ? namesOf(value, own, `${prefix}${name}.`)
      : [`${prefix}${name}`];
  });
}

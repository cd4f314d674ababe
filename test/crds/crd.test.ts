import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { crdFile, crdYaml, toCrd, type StructuralSchema } from '../../crds/crd.ts';
import { kinds } from '../../crds/index.ts';
import { mapSchema, plainSchema } from '../../crds/schema.ts';

const directory = join(import.meta.dirname, '../../crds');

function rootSchema(kind: (typeof kinds)[number]): StructuralSchema {
  const [version] = toCrd(kind).spec.versions;
  assert.ok(version);
  return version.schema.openAPIV3Schema;
}

/** Every part of the spec and the status of every kind, with its path. */
function* parts(): Iterable<{ path: string; schema: StructuralSchema; isField: boolean }> {
  for (const kind of kinds) {
    const { spec, status } = rootSchema(kind).properties ?? {};
    assert.ok(spec && status);
    yield* below(`${kind.kind}.spec`, spec, true);
    yield* below(`${kind.kind}.status`, status, true);
  }
}

function* below(
  path: string,
  schema: StructuralSchema,
  isField: boolean,
): ReturnType<typeof parts> {
  yield { path, schema, isField };
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield* below(`${path}.${name}`, field, true);
  }
  if (schema.items) yield* below(`${path}[]`, schema.items, false);
  if (typeof schema.additionalProperties === 'object') {
    yield* below(`${path}.*`, schema.additionalProperties as StructuralSchema, false);
  }
}

function pathsWhere(isWrong: (part: { schema: StructuralSchema; isField: boolean }) => boolean) {
  return [...parts()].filter(isWrong).map(({ path }) => path);
}

/** Keywords of JSONSchemaProps that a structural schema may hold, and that Cairn has a use for. */
const allowed = new Set([
  'type',
  'description',
  'default',
  'properties',
  'required',
  'additionalProperties',
  'maxProperties',
  'items',
  'minItems',
  'maxItems',
  'enum',
  'pattern',
  'format',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
]);

describe('the CustomResourceDefinitions in crds/', () => {
  it('are those of the schemas; else run `npm run crds`', async () => {
    for (const kind of kinds) {
      const file = await readFile(join(directory, crdFile(kind)), 'utf8');
      assert.equal(file, crdYaml(kind), `crds/${crdFile(kind)} is out of date`);
    }
    const files = (await readdir(directory)).filter((file) => file.endsWith('.yaml'));
    assert.deepEqual(files.sort(), kinds.map(crdFile).sort());
  });

  it('mean the same to any YAML parser', () => {
    for (const kind of kinds) {
      assert.deepEqual(load(crdYaml(kind)), JSON.parse(JSON.stringify(toCrd(kind))));
    }
  });

  it('are small enough for kubectl apply, which keeps a copy in an annotation', () => {
    for (const kind of kinds) assert.ok(crdYaml(kind).length < 150 * 1024, kind.kind);
  });

  it('name their kind consistently and uniquely', () => {
    const words = kinds.flatMap(({ kind, plural, shortNames }) => [
      plural,
      kind.toLowerCase(),
      ...shortNames,
    ]);
    assert.equal(new Set(words).size, words.length);
    for (const kind of kinds) {
      const { metadata, spec } = toCrd(kind);
      assert.equal(metadata.name, `${kind.plural}.cairn.build`);
      assert.equal(spec.scope, 'Namespaced');
      assert.deepEqual(spec.names.categories, ['cairn']);
    }
  });
});

describe('each schema', () => {
  it('is structural: every part has a type and only keywords that Kubernetes takes', () => {
    assert.deepEqual(
      pathsWhere(({ schema }) => schema.type === undefined),
      [],
    );
    for (const { path, schema } of parts()) {
      for (const keyword of Object.keys(schema))
        assert.ok(allowed.has(keyword), `${path} ${keyword}`);
    }
    const isClosed = ({ schema }: { schema: StructuralSchema }) =>
      typeof schema.additionalProperties === 'boolean' ||
      (schema.properties !== undefined && schema.additionalProperties !== undefined);
    assert.deepEqual(pathsWhere(isClosed), []);
  });

  it('says of every field what it is', () => {
    assert.deepEqual(
      pathsWhere(({ schema, isField }) => isField && !schema.description),
      [],
    );
  });

  it('bounds every string, list and map', () => {
    const isUnbounded = ({ schema }: { schema: StructuralSchema }) => {
      switch (schema.type) {
        case 'string':
          return !schema.enum && schema.format !== 'date-time' && schema.maxLength === undefined;
        case 'array':
          return schema.maxItems === undefined;
        case 'object':
          return schema.additionalProperties !== undefined && schema.maxProperties === undefined;
        default:
          return false;
      }
    };
    assert.deepEqual(pathsWhere(isUnbounded), []);
  });

  it('has patterns that mean the same to Go: no look-around, back references, \\s or dot', () => {
    const isForeign = ({ schema: { pattern = '' } }: { schema: StructuralSchema }) =>
      /\(\?|\\[0-9a-zA-Z]/.test(pattern) || /\./.test(pattern.replaceAll(/\[[^\]]*\]|\\\./g, ''));
    assert.deepEqual(pathsWhere(isForeign), []);
  });

  it('says how lists are merged: conditions by type, others as a whole', () => {
    for (const { path, schema } of parts()) {
      if (schema.type !== 'array') continue;
      const isConditions = path.endsWith('.status.conditions');
      assert.equal(schema['x-kubernetes-list-type'], isConditions ? 'map' : 'atomic', path);
      if (!isConditions) continue;
      assert.deepEqual(schema['x-kubernetes-list-map-keys'], ['type']);
      assert.ok(schema.items?.required?.includes('type'));
    }
  });

  it('asks for no field that has a default, and its default fits it', () => {
    for (const { path, schema } of parts()) {
      for (const field of schema.required ?? []) {
        assert.equal(schema.properties?.[field]?.default, undefined, `${path}.${field}`);
      }
    }
  });

  it('lets no new object look ready', () => {
    for (const kind of kinds) {
      const status = rootSchema(kind).properties?.['status'];
      assert.deepEqual(status?.default, { observedGeneration: -1 });
      assert.equal(status.required, undefined);
      assert.deepEqual(toCrd(kind).spec.versions[0]?.subresources, { status: {} });
    }
  });

  it('carries the rules of its kind in CEL, and freezes what never changes', () => {
    for (const kind of kinds) {
      const rules = rootSchema(kind).properties?.['spec']?.['x-kubernetes-validations'] ?? [];
      for (const rule of kind.rules ?? []) assert.ok(rules.includes(rule));
      const isFrozen = rules.some(({ rule }) => rule === 'self == oldSelf');
      assert.equal(isFrozen, kind.immutable === true, kind.kind);
    }
  });

  it('ends its columns with Ready, Status and Age', () => {
    for (const kind of kinds) {
      const columns = toCrd(kind).spec.versions[0]?.additionalPrinterColumns ?? [];
      assert.deepEqual(
        columns.slice(-3).map(({ name }) => name),
        ['Ready', 'Status', 'Age'],
      );
    }
  });
});

describe('the examples in a schema', () => {
  it('are accepted by it', () => {
    for (const { spec } of kinds) {
      mapSchema(plainSchema(spec), (part) => {
        for (const example of part.examples ?? []) {
          assert.match(String(example), new RegExp(part.pattern ?? '', 'u'));
        }
        return part;
      });
    }
  });
});

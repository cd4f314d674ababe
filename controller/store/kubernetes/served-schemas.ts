import type { StructuralSchema } from '../../../crds/crd.ts';
import { group, version } from '../../../crds/object.ts';
import { isRecord } from '../../../crds/record.ts';
import type { Log } from '../../log.ts';
import type { Caller } from './connection.ts';
import { pause } from './pace.ts';

/** A kind, and all that its objects may hold. */
export interface ExpectedKind {
  readonly kind: string;
  readonly plural: string;
  readonly schema: StructuralSchema;
}

export interface ServedSchemasOptions {
  readonly connection: Caller;
  readonly kinds: readonly ExpectedKind[];
  readonly log: Log;
}

/** Somebody may apply newer CRDs at any time; or older ones. */
const againMs = { whenOld: 10_000, else: 10 * 60_000 };
const mostNamed = 5;
const deepest = 20;

/**
 * Compares the CRDs of an API server with those that belong to this Cairn. A server drops what its
 * CRD does not have, silently where clients don't ask for more; so somebody has to say it.
 */
export class ServedSchemas {
  readonly #options: ServedSchemasOptions;
  #problems: readonly string[] = [];

  constructor(options: ServedSchemasOptions) {
    this.#options = options;
  }

  /** Which CRDs are older, in sentences for people. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Looks again and again until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look().catch((error: unknown) => {
        this.#options.log.debug('the schemas of the API server could not be read', { error });
      });
      await pause(this.#problems.length > 0 ? againMs.whenOld : againMs.else, signal);
    }
  }

  async #look(): Promise<void> {
    const { connection, kinds, log } = this.#options;
    const path = `/openapi/v3/apis/${group}/${version}`;
    const served = schemasOf((await connection.call({ method: 'GET', path })).body);
    const before = this.#problems;
    this.#problems = kinds.flatMap(({ kind, plural, schema }) => {
      const found = served.get(kind);
      const missing = found ? missingFields(schema, found) : [];
      return missing.length === 0 ? [] : [sentence(plural, missing)];
    });
    for (const problem of this.#problems) {
      if (!before.includes(problem))
        log.warn('a CRD is older than this Cairn', { because: problem });
    }
  }
}

function sentence(plural: string, missing: readonly string[]): string {
  const more = missing.length > mostNamed ? ` and ${missing.length - mostNamed} more` : '';
  const named = `${missing.slice(0, mostNamed).join(', ')}${more}`;
  return `the CRD ${plural}.${group} is older than this Cairn, and lacks ${named}: kubectl apply -f crds/${plural}.yaml`;
}

/** Of an OpenAPI v3 document, by kind. */
function schemasOf(document: unknown): ReadonlyMap<string, unknown> {
  const { components } = isRecord(document) ? document : {};
  const { schemas } = isRecord(components) ? components : {};
  const all = Object.values(isRecord(schemas) ? schemas : {});
  return new Map(
    all.flatMap((schema) => {
      const { 'x-kubernetes-group-version-kind': kinds } = isRecord(schema) ? schema : {};
      const [own] = Array.isArray(kinds) ? (kinds as unknown[]) : [];
      return isRecord(own) ? [[String(own['kind']), schema] as const] : [];
    }),
  );
}

/** The paths of fields that `ours` has and `theirs` does not; of a whole branch only its root. */
function missingFields(
  ours: StructuralSchema,
  theirs: unknown,
  at: readonly string[] = [],
): readonly string[] {
  if (!isRecord(theirs) || at.length > deepest) return [];
  if (theirs['x-kubernetes-preserve-unknown-fields'] === true) return [];
  const inItems = ours.items ? missingFields(ours.items, theirs['items'], at) : [];
  const there = isRecord(theirs['properties']) ? theirs['properties'] : {};
  const fields = at.length === 0 ? withoutMetadata(ours) : Object.entries(ours.properties ?? {});
  const inFields = fields.flatMap(([name, schema]) => {
    const path = [...at, name];
    return name in there ? missingFields(schema, there[name], path) : [path.join('.')];
  });
  return [...inItems, ...inFields];
}

function withoutMetadata({ properties = {} }: StructuralSchema) {
  return Object.entries(properties).filter(([name]) => name === 'spec' || name === 'status');
}

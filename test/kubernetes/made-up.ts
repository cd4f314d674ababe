/** Specs, metadata and scalars made up at random, so that both a good and a bad verdict are likely. */
import fc from 'fast-check';
import type { Kind } from '../../crds/kind.ts';
import { plainSchema } from '../../crds/schema.ts';
import { fitting, slipped } from '../crds/arbitrary.ts';

type Spec = Readonly<Record<string, unknown>>;

/** Specs that their schema accepts are mostly against a rule; these are mostly not. */
const tamed: Readonly<Record<string, (spec: Spec) => Spec>> = {
  Mirror({ signedBy, interval, ...spec }) {
    const { file, inline, secretRef, ...keys } = (signedBy ?? {}) as Spec;
    const [source] = Object.entries({ file, inline, secretRef }).filter(([, value]) => value);
    return {
      ...spec,
      allowUnsigned: source === undefined,
      ...(source && { signedBy: { ...keys, [source[0]]: source[1] } }),
      ...(spec['schedule'] === undefined && { interval }),
    };
  },
  MirrorSet: ({ mirrors = [{ name: 'debian' }], ...spec }) => ({ ...spec, mirrors }),
  Upload({ files, remove, ...spec }) {
    const file = { name: 'a.deb', sha256: '0'.repeat(64), size: 1 };
    const tame = (one: Spec) => {
      const { package: name, architecture, ...rest } = one;
      return rest['source'] === undefined ? { ...rest, package: name ?? 'a', architecture } : rest;
    };
    const removals = Array.isArray(remove) ? (remove as readonly Spec[]).map(tame) : [];
    return { ...spec, files: files ?? [file], remove: removals };
  },
  ConfigSource: ({ path, ...spec }) => ({ ...spec, path: String(path).replace(/^\/+/, '') }),
};

/** Of any kind, by its schema. */
export function specsOf(kind: Kind): fc.Arbitrary<unknown> {
  const fits = fitting(plainSchema(kind.spec)) as fc.Arbitrary<Spec>;
  const tame = fits.map(tamed[kind.kind] ?? ((spec) => spec));
  return slipped(fc.oneof({ weight: 5, arbitrary: tame }, fits));
}

const number = fc.integer({ min: 0, max: 70 }).map(String);
const name = fc.constantFrom('jan', 'DEC', 'Mon', 'fri', 'sun', 'mars');
const cronItem = fc.oneof(
  fc.constant('*'),
  number,
  name,
  fc.tuple(fc.oneof(number, name), fc.oneof(number, name)).map(([from, to]) => `${from}-${to}`),
);
const cronField = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('*', '1', '3', '1-5', '*/15', '1,2', '2-7/3') },
  cronItem,
  fc.tuple(cronItem, number).map(([item, step]) => `${item}/${step}`),
  fc.tuple(cronItem, cronItem).map(([one, other]) => `${one},${other}`),
);
const schedules = fc
  .tuple(
    fc.array(cronField, { minLength: 4, maxLength: 4 }),
    fc.oneof(
      cronField,
      name,
      fc.tuple(name, name).map((days) => days.join('-')),
    ),
    fc.oneof({ weight: 9, arbitrary: fc.constant(' ') }, fc.constantFrom('  ', '\t', '\u00a0')),
  )
  .map(([fields, day, space]) => [...fields, day].join(space));

const timeZones = fc.oneof(
  fc.constantFrom('UTC', 'GMT', 'Etc/GMT+5', 'Europe/Berlin', 'Europe/Kyiv', 'Asia/Kolkata'),
  fc.constantFrom('America/Port-au-Prince', 'Africa/Dar_es_Salaam', 'Antarctica/DumontDUrville'),
  fc.constantFrom('America/Argentina/Buenos_Aires', 'America/North_Dakota/New_Salem'),
  fc.constantFrom('utc', 'europe/berlin', 'Europe/BERLIN', 'Antarctica/Dumontdurville'),
  fc.constantFrom('Local', 'Mars/Olympus', 'Etc/GMT+99', 'Europe/', 'posix/UTC', 'EST', 'Zulu'),
);

/** Of Mirrors with times of all sorts. */
export const scheduledMirrors = fc
  .record({ schedule: schedules, timeZone: timeZones })
  .map((times) => ({ url: 'https://a.example/', suites: ['a'], allowUnsigned: true, ...times }));

const pieces = ['a', '..', '.', '/', '-', ':', '::', '@', '//', 'https:', 'ssh:', 'git', ' ', 'é'];
const place = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 });
const places = place.map((parts) => parts.join(''));
const urlPieces = ['%20', '%', ':80', '@', '?', '[::1]', '\u00a0', '\u000b', 'é', '~'];
const urls = fc
  .array(fc.constantFrom('a', 'b', '.', '/', '-', '/c', ...urlPieces), { maxLength: 3 })
  .map((parts) => `https://a${parts.join('')}`);

/** Of Mirrors whose upstream and proxy may be anything. */
export const linkedMirrors = fc
  .oneof(fc.record({ url: urls }), fc.record({ url: fc.constant('http://a'), proxy: urls }))
  .map((links) => ({ suites: ['a'], allowUnsigned: true, ...links }));

/** Of ConfigSources that lead anywhere. */
export const configSources = fc.record(
  { location: places, path: places, branch: places },
  { requiredKeys: ['location'] },
);

const nameText = fc.string({ unit: fc.constantFrom(...'abzAZ09-._/ é\n'), maxLength: 5 });
const keys = fc.oneof(
  nameText,
  fc.tuple(nameText, nameText).map(([prefix, text]) => `${prefix}/${text}`),
  fc.constantFrom('team', 'example.com/team', 'x'.repeat(64), `${'x'.repeat(254)}/a`),
);
const labels = fc.dictionary(keys, fc.oneof(nameText, fc.constant('x'.repeat(64))), { maxKeys: 2 });
const notes = fc.dictionary(keys, fc.string({ unit: 'grapheme' }), { maxKeys: 2 });
const names = fc.oneof(nameText, fc.constantFrom('a', 'a.b', 'x'.repeat(253), 'x'.repeat(254)));

const goodKeys = fc.constantFrom('team', 'example.com/team', 'cairn.build/paused');
const goodMetadata = fc.record(
  {
    name: fc.constantFrom('a', 'b-c', 'd.e'),
    namespace: fc.constantFrom('default', null),
    labels: fc.dictionary(goodKeys, fc.constantFrom('', 'x', 'Y_z.0')),
    annotations: fc.dictionary(goodKeys, fc.string({ unit: 'grapheme' })),
  },
  { requiredKeys: ['name'] },
);

/** What people write into `metadata`: nothing that only a server fills in. */
export const metadata = slipped(
  fc.oneof(goodMetadata, fc.record({ name: names, labels, annotations: notes })),
);

const traps = ['yes', 'No', 'ON', 'off', 'y', 'N', 'true', 'False', '~', 'null', ''];
const numbers = ['0644', '0o644', '0x1F', '010', '08', '1_000', '1e3', '1.0', '.5', '1:30', '-0'];
const characters = '+-0123456789_.xXoObBeEaAfFyYnN:~';

/** What stands behind a colon without quotes. */
export const plainScalars = fc.oneof(
  fc.constantFrom(...traps, ...numbers, '2026-01-01', '12345678901234567890', '.inf', '<<'),
  fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength: 8 }),
);

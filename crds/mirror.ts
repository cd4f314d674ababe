import { commonColumns, defineKind, type ObjectOf } from './kind.ts';
import { checkMirror, mirrorRules } from './mirror-check.ts';
import { mirrorSpec } from './mirror-spec.ts';
import { mirrorStatus } from './mirror-state.ts';

export { MirroredSuite, MirrorState } from './mirror-state.ts';

export const MirrorKind = defineKind({
  kind: 'Mirror',
  plural: 'mirrors',
  shortNames: ['mir'],
  summary: 'A verified, byte-identical copy of an upstream APT archive, refreshed atomically.',
  spec: mirrorSpec,
  status: mirrorStatus,
  aliases: { series: 'suites' },
  check: checkMirror,
  rules: mirrorRules,
  columns: [
    { name: 'URL', jsonPath: '.spec.url' },
    { name: 'Packages', jsonPath: '.status.state.packages', type: 'integer' },
    { name: 'Tree', jsonPath: '.status.state.tree', wide: true },
    { name: 'Suspended', jsonPath: '.spec.suspend', wide: true },
    { name: 'Refreshing', jsonPath: '.status.refreshInProgress', wide: true },
    ...commonColumns,
  ],
});

export type Mirror = ObjectOf<typeof MirrorKind>;
export type MirrorSpec = Mirror['spec'];
export type MirrorStatus = Mirror['status'];

/**
 * Whether what a Mirror holds is for everybody. As long as it holds another archive than the spec
 * asks for, that one has to have been public too: `public: true` beside a new url means the new one.
 */
export function isPublic({ spec, status: { state } }: Mirror): boolean {
  return spec.public && (state?.url === spec.url || state?.public === true);
}

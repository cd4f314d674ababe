/** What Flux publishes for its own objects, to be read beside ours: other work, on other machines. */
import type { Result } from '../results.ts';
import { scaleTitles } from '../titles.ts';

/** flux-benchmark, RESULTS.md, for Flux 2.9 (2026). */
export const published: readonly Result[] = [
  flux(scaleTitles.coldStart, '1,000 Kustomizations', 253, 's'),
  flux(scaleTitles.coldStart, '1,000 OCIRepositories', 257, 's'),
  flux(scaleTitles.coldStart, '1,000 HelmReleases', 279, 's'),
  flux(scaleTitles.peak, 'kustomize-controller, 1,000', 223 * 1.048576, 'MB'),
  flux(scaleTitles.peak, 'source-controller, 1,000', 128 * 1.048576, 'MB'),
  flux(scaleTitles.peak, 'helm-controller, 1,000', 361 * 1.048576, 'MB'),
];

function flux(title: string, what: string, value: number, unit: 's' | 'MB'): Result {
  return { work: 'scale', title, tool: `Flux 2.9: ${what}`, figures: { value, unit } };
}

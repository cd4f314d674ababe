import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import type { Context } from './context.ts';
import { statusOf } from './engine.ts';
import { useFile } from './images.ts';
import { labelled, labels } from './labels.ts';

/** How many images to keep; what was used within the last hour is always kept. */
export interface ImageLimits {
  readonly count: number;
  readonly ageDays: number;
  /** Of all together, each counted with the layers it shares. */
  readonly bytes: number;
}

export const imageLimits: ImageLimits = { count: 200, ageDays: 30, bytes: 200 * 2 ** 30 };

const hourMs = 3_600_000;

/** An image of ours, for the decision which to remove. */
export interface KeptImage {
  readonly id: string;
  readonly bytes: number;
  readonly usedAt: number;
}

/** Which images to remove, the longest unused first: too old, too many, or too large together. */
export function imagesToPrune(
  images: readonly KeptImage[],
  limits: ImageLimits,
  now: number,
): readonly string[] {
  const newest = images.toSorted((a, b) => b.usedAt - a.usedAt);
  let bytes = 0;
  const tooMany = newest.filter((image, index) => {
    bytes += image.bytes;
    if (now - image.usedAt < hourMs) return false;
    const old = now - image.usedAt > limits.ageDays * 24 * hourMs;
    return old || index >= limits.count || bytes > limits.bytes;
  });
  return tooMany.map(({ id }) => id).toReversed();
}

/** Removes images beyond the limits. What is in use, or has images made of it, the engine keeps. Gives how many went. */
export async function pruneImages(
  context: Context,
  limits: ImageLimits,
  now: number,
): Promise<number> {
  const found = await context.docker.listImages({
    filters: { label: labelled({ [labels.owner]: context.owner }) },
  });
  const images = found.map(({ Id, Size, Created, Labels }) => ({
    id: Id,
    bytes: Size,
    usedAt: lastUse(context, Labels ?? {}) ?? Created * 1000,
  }));
  const removed = new Set<string>();
  for (const id of imagesToPrune(images, limits, now)) {
    if (await removeImage(context, id)) removed.add(id);
  }
  forgetUses(
    context,
    found.filter(({ Id }) => !removed.has(Id)),
  );
  return removed.size;
}

function lastUse(context: Context, words: Readonly<Record<string, string>>): number | undefined {
  const file = useFile(context, words[labels.image] ?? '', words[labels.key] ?? '');
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

function forgetUses(context: Context, images: readonly Docker.ImageInfo[]): void {
  const kept = new Set(
    images.map(({ Labels = {} }) =>
      useFile(context, Labels[labels.image] ?? '', Labels[labels.key] ?? ''),
    ),
  );
  const folder = join(context.folder, 'used');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (!kept.has(join(folder, name))) rmSync(join(folder, name), { force: true });
  }
}

async function removeImage({ docker }: Context, id: string): Promise<boolean> {
  try {
    await docker.getImage(id).remove();
    return true;
  } catch (error) {
    if ([404, 409].includes(statusOf(error) ?? 0)) return false;
    throw error;
  }
}

import type { Context } from './context.ts';
import { statusOf } from './engine.ts';
import { labelled, labels } from './labels.ts';

export interface Swept {
  /** Of how many containers nobody knew anything any more. */
  readonly containers: number;
}

/**
 * Removes the containers of this owner that nobody claims: of runs that are over and noted, of workshops whose controller has died.
 * Whatever other owners have is left alone.
 *
 * @param claimed ids of runs that somebody will still ask for
 * @param isBusy whether this process is using a container; it is asked just before the container goes
 */
export async function sweepContainers(
  { docker, owner }: Context,
  claimed: ReadonlySet<string>,
  isBusy: (container: { readonly name: string; readonly run: string | undefined }) => boolean,
): Promise<Swept> {
  const found = await docker.listContainers({
    all: true,
    filters: { label: labelled({ [labels.owner]: owner }) },
  });
  let containers = 0;
  for (const { Id, Labels, Names } of found) {
    const run = Labels[labels.run];
    if (run !== undefined && claimed.has(run)) continue;
    if (isBusy({ name: Names[0]?.slice(1) ?? '', run })) continue;
    await docker
      .getContainer(Id)
      .remove({ force: true, v: true })
      .then(
        () => (containers += 1),
        (error: unknown) => {
          // somebody else removes it at this moment
          if (![404, 409].includes(statusOf(error) ?? 0)) throw error;
        },
      );
  }
  return { containers };
}

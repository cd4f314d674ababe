/** Labels are how a controller finds again what it made in an engine that others use as well. */
export const labels = {
  /** Of containers and images: which controller they belong to. */
  owner: 'build.cairn.owner',
  /** Of containers: `run`, or `workshop` for those in which images are made. */
  role: 'build.cairn.role',
  /** Of containers: the id of the run. */
  run: 'build.cairn.run',
  /** Of containers: a digest of what was asked for, so that an id does not come to mean something else. */
  request: 'build.cairn.request',
  /** Of containers: a digest of the note in it. */
  note: 'build.cairn.note',
  /** Of images: `toolbox`, `base` or `layer`. */
  image: 'build.cairn.image',
  /** Of images: a digest of all that they were made of. */
  key: 'build.cairn.key',
} as const;

/** A filter for the engine's lists. */
export function labelled(wanted: Readonly<Record<string, string>>): string[] {
  return Object.entries(wanted).map(([name, value]) => `${name}=${value}`);
}

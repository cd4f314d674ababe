import { writeFile } from 'node:fs/promises';
import type { DockerBuilder } from '../../builders/docker/index.ts';
import type { Build } from '../../crds/build.ts';
import type { BuildFiles, RunPlan } from './files.ts';

const newline = 0x0a;

/**
 * What goes with a run, so that a controller which has nothing else can go on with it: the plan as a line of JSON, then
 * the log from before the run.
 */
export function noteFor(plan: RunPlan, logBefore: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(plan)}\n`), logBefore]);
}

/**
 * The plan of a run that somebody else has begun, with the log as it was then; undefined when nobody has. Throws an
 * EngineError when the engine does not say.
 */
export async function takeOver(
  { metadata: { uid }, status }: Build,
  files: BuildFiles,
  builder: Pick<DockerBuilder, 'noteOf'>,
  signal: AbortSignal,
): Promise<RunPlan | undefined> {
  const { phase = 'Queued' } = status;
  if (phase === 'Queued') return undefined; // nobody has come so far
  const note = await builder.noteOf(uid, signal);
  if (!note) return undefined;
  const end = note.indexOf(newline);
  const plan = JSON.parse(note.toString('utf8', 0, end)) as RunPlan; // its digest is that of what we have written
  await writeFile(files.log, note.subarray(end + 1), { mode: 0o600, flush: true });
  await files.writePlan(plan);
  return plan;
}

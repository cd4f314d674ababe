import type { RunStreams } from './request.ts';

/** A failure of what the caller gave, which may look like one of the engine. The caller gets the cause. */
export class StreamFailure extends Error {
  override readonly name = 'StreamFailure';

  constructor(cause: unknown) {
    super('a stream of the run has failed', { cause });
  }
}

/** The same streams, whose failures are known as theirs. */
export function guarded(streams: RunStreams): RunStreams {
  return {
    source: async () => await named(async () => await streams.source()),
    note: async () => await named(async () => await streams.note?.()),
    keptLog: async () => await named(async () => await streams.keptLog()),
    writeLog: async (bytes) => await named(async () => await streams.writeLog(bytes)),
    artifact: async (...words) => await named(async () => await streams.artifact(...words)),
  };
}

async function named<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new StreamFailure(error);
  }
}

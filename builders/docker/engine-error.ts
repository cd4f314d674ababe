/** A failure of the engine or of the way to it, not of a build. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}

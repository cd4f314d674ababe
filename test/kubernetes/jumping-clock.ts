/** Loaded into the product before anything else: its wall clock is off by what CLOCK_OFFSET_FILE says. */
import { readFileSync } from 'node:fs';

const file = process.env['CLOCK_OFFSET_FILE'] ?? '';
const Real = Date;
let offset = 0;
let readAt = -Infinity;

/** Milliseconds since the epoch, as the product sees them. */
function now(): number {
  const at = performance.now();
  if (at - readAt > 50) {
    readAt = at;
    offset = Number(readFileSync(file, 'utf8'));
  }
  return Real.now() + offset;
}

globalThis.Date = new Proxy(Real, {
  construct: (target, args) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args) as Date,
  apply: () => new Real(now()).toString(),
  get: (target, key) => (key === 'now' ? now : (Reflect.get(target, key) as unknown)),
});

const large = 512 * 1024;
const small = 64 * 1024;
/** Large buffers at a time: 64 MiB. Slow clients hold theirs for long, and may be thousands. */
const mostLarge = 128;

const spare: Buffer[] = [];
let lent = 0;

/** A buffer to read a piece of a file into: a large one while not too many are in use. */
export function takeBuffer(): Buffer {
  if (lent >= mostLarge) return Buffer.allocUnsafeSlow(small);
  lent += 1;
  return spare.pop() ?? Buffer.allocUnsafeSlow(large);
}

/** Each buffer once. One that may still be on its way out must not be used again. */
export function giveBack(buffer: Buffer, reusable: boolean): void {
  if (buffer.length !== large) return;
  lent -= 1;
  if (reusable) spare.push(buffer);
}

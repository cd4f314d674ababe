/** Hands out bits of a byte queue, high bits first. Reading past the end throws. */
export class BitReader {
  #chunks: Uint8Array[] = [];
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  #queued = 0;
  #buffer = 0;
  #bits = 0;

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
  }

  /** Bytes that nothing has been read of yet. */
  get bytesLeft(): number {
    return this.#queued + this.#chunk.length - this.#at;
  }

  /** At most 24 bits. */
  read(count: number): number {
    while (this.#bits < count) {
      this.#buffer = ((this.#buffer << 8) | this.#nextByte()) & 0x7fffffff;
      this.#bits += 8;
    }
    this.#bits -= count;
    return (this.#buffer >>> this.#bits) & ((1 << count) - 1);
  }

  read32(): number {
    return ((this.read(16) << 16) | this.read(16)) >>> 0;
  }

  /** Drops the bits up to the next whole byte. */
  align(): void {
    this.#bits -= this.#bits % 8;
  }

  #nextByte(): number {
    while (this.#at >= this.#chunk.length) {
      const next = this.#chunks.shift();
      if (!next) throw new Error('it is cut short');
      this.#queued -= next.length;
      this.#chunk = next;
      this.#at = 0;
    }
    return this.#chunk[this.#at++] ?? 0;
  }
}

/** Lets so many run at once, of so many bytes together; the others wait in order. */
export class Budget {
  readonly #mostAtOnce: number;
  readonly #mostBytes: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #bytes = 0;

  constructor(mostAtOnce: number, mostBytes: number) {
    this.#mostAtOnce = mostAtOnce;
    this.#mostBytes = mostBytes;
  }

  async use<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    while (!this.#hasRoom(bytes)) await new Promise<void>((wake) => this.#waiting.push(wake));
    this.#running += 1;
    this.#bytes += bytes;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#bytes -= bytes;
      this.#waiting.shift()?.();
      // A large one may have left room for several small ones.
      if (this.#hasRoom(0)) this.#waiting.shift()?.();
    }
  }

  /** One that is larger than all of it runs alone. */
  #hasRoom(bytes: number): boolean {
    if (this.#running === 0) return true;
    return this.#running < this.#mostAtOnce && this.#bytes + bytes <= this.#mostBytes;
  }
}

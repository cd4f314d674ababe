import { Duplex, type Writable } from 'node:stream';
import { framesOf } from './frames.ts';

const headerSize = 8;
const mostFrame = 1 << 18;
const mostConnections = 64; // as in forwarder.pl

/**
 * The other end of `forwarder.pl`: takes the connections that it carries apart, and gives each as a stream, after
 * it has said that its port is open. Whoever is in the
 * container may write anything here: what breaks the rules ends it all. Resolves when the forwarder has gone.
 */
export async function carryConnections(
  link: Duplex,
  onConnection: (connection: Duplex) => void,
  onReady: () => void,
): Promise<void> {
  const open = new Map<number, Connection>();
  link.setMaxListeners(2 * mostConnections + 10);
  link.on('error', () => {}); // told by the loop below
  try {
    for await (const { id, bytes } of carried(link)) {
      if (id === 0) onReady();
      const connection = open.get(id) ?? begin(id, bytes);
      if (connection === undefined) continue;
      // one that is not read holds up the others of the same container, and nobody else
      if (!connection.hear(bytes)) await connection.room();
    }
  } finally {
    for (const connection of open.values()) connection.destroy();
    link.destroy();
  }

  function begin(id: number, first: Buffer): Connection | undefined {
    if (first.length === 0 || open.size >= mostConnections) return undefined;
    const connection = new Connection(link, id);
    connection.on('error', () => {}); // its user is told as well
    connection.once('close', () => open.delete(id));
    open.set(id, connection);
    onConnection(connection);
    return connection;
  }
}

interface Carried {
  readonly id: number;
  /** None: the client says no more. */
  readonly bytes: Buffer;
}

async function* carried(link: Duplex): AsyncGenerator<Carried> {
  let buffer: Buffer = Buffer.alloc(0);
  for await (const { channel, bytes } of framesOf(link)) {
    if (channel === 'stderr') continue;
    buffer = buffer.length === 0 ? bytes : Buffer.concat([buffer, bytes]);
    while (buffer.length >= headerSize) {
      const size = buffer.readUInt32BE(4);
      if (size > mostFrame) return;
      if (buffer.length < headerSize + size) break;
      yield { id: buffer.readUInt32BE(0), bytes: buffer.subarray(headerSize, headerSize + size) };
      buffer = buffer.subarray(headerSize + size);
    }
  }
}

class Connection extends Duplex {
  readonly #link: Writable;
  readonly #id: number;
  #ended = false;
  #heardAll = false;
  #wanted: () => void = () => {};

  constructor(link: Writable, id: number) {
    super({ allowHalfOpen: true });
    this.#link = link;
    this.#id = id;
  }

  /** False when enough waits to be read. */
  hear(bytes: Buffer): boolean {
    if (this.destroyed || this.#heardAll) return true;
    if (bytes.length > 0) return this.push(Buffer.from(bytes));
    this.#heardAll = true;
    this.push(null);
    return true;
  }

  /** Waits until more is wanted, or nothing ever again. */
  room(): Promise<void> {
    if (this.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wanted = resolve;
      this.once('close', resolve);
    });
  }

  override _read(): void {
    this.#wanted();
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    for (let at = 0; at < bytes.length; at += mostFrame)
      this.#tell(bytes.subarray(at, at + mostFrame));
    if (this.#link.writableNeedDrain) this.#whenDrained(done);
    else done();
  }

  override _final(done: () => void): void {
    this.#end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#end();
    done(error);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tell(Buffer.alloc(0));
  }

  #tell(bytes: Buffer): void {
    if (this.#link.destroyed || this.#link.writableEnded) return;
    const header = Buffer.alloc(headerSize);
    header.writeUInt32BE(this.#id, 0);
    header.writeUInt32BE(bytes.length, 4);
    this.#link.write(Buffer.concat([header, bytes]));
  }

  #whenDrained(done: () => void): void {
    const go = () => {
      this.#link.off('drain', go);
      this.#link.off('close', go);
      done();
    };
    this.#link.on('drain', go);
    this.#link.on('close', go);
  }
}

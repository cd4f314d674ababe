/** What git sends in one piece: a line, or one of the marks between them. */
export type Packet = Buffer | 'flush' | 'delimiter' | 'end';

const marks: readonly Packet[] = ['flush', 'delimiter', 'end'];

/** The packet that stands for a line of text. */
export function packetLine(text: string): string {
  const line = `${text}\n`;
  return (Buffer.byteLength(line) + 4).toString(16).padStart(4, '0') + line;
}

/**
 * Cuts a stream into packets, each of which has at most 65,520 bytes: gitprotocol-common(5), gitprotocol-v2(5). Throws on
 * whatever else there is, and when the stream ends within one.
 */
export async function* packetsOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Packet> {
  let rest: Buffer = Buffer.of();
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 4) {
      const length = lengthAt(rest, at);
      const mark = marks[length];
      if (length < 4 && mark === undefined) throw new Error('a packet of 3 bytes');
      if (mark === undefined && rest.length - at < length) break;
      yield mark ?? rest.subarray(at + 4, at + length);
      at += mark === undefined ? length : 4;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw new Error('it ends within a packet');
}

function lengthAt(bytes: Buffer, at: number): number {
  const text = bytes.toString('latin1', at, at + 4);
  if (!/^[0-9a-f]{4}$/i.test(text)) throw new Error('expected the length of a packet');
  return Number.parseInt(text, 16);
}

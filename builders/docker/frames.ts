/** One piece of what a container wrote. */
export interface Frame {
  readonly channel: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

const headerSize = 8;

/**
 * Takes the engine's multiplexed streams apart: of logs, and of commands without a terminal. Each frame has a header of one
 * byte for the channel, three of zero, and the size as 32 bits, big-endian (Docker Engine API, "Attach to a container").
 * Frames are handed on in pieces, as they come.
 */
export async function* framesOf(stream: AsyncIterable<Buffer | string>): AsyncGenerator<Frame> {
  let header = Buffer.alloc(0);
  let channel: Frame['channel'] = 'stdout';
  let left = 0;
  for await (const piece of stream) {
    let rest = Buffer.from(piece);
    while (rest.length > 0) {
      if (left === 0) {
        const wanted = headerSize - header.length;
        header = Buffer.concat([header, rest.subarray(0, wanted)]);
        rest = rest.subarray(wanted);
        if (header.length < headerSize) break;
        channel = header[0] === 2 ? 'stderr' : 'stdout';
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
      }
      const bytes = rest.subarray(0, left);
      rest = rest.subarray(left);
      left -= bytes.length;
      if (bytes.length > 0) yield { channel, bytes };
    }
  }
}

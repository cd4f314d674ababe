/** A watch event holds one object: etcd's 1.5 MiB, with room for managedFields and escapes. */
const longestLine = 16 * 1024 * 1024;

/**
 * The JSON values of a stream, one on each line. Lines are decoded as a whole, so that characters
 * may be cut anywhere between chunks. Throws for lines that are too long, and are no JSON.
 */
export async function* jsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<unknown> {
  let pending: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      pending.push(chunk.subarray(start, end));
      const line = Buffer.concat(pending).toString('utf8');
      [pending, bytes, start] = [[], 0, end + 1];
      if (line.trim() !== '') yield JSON.parse(line);
    }
    if (start === chunk.length) continue;
    pending.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > longestLine) throw new Error(`a line of more than ${longestLine} bytes`);
  }
}

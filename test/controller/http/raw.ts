import { connect } from 'node:net';
import { once } from 'node:events';

/** Sends bytes as they are, and reads until the server closes. */
export async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('latin1').on('data', (piece: string) => (answer += piece));
  socket.on('error', () => undefined);
  socket.write(text, 'latin1');
  await once(socket, 'close');
  return answer;
}

/** One request, as it stands: `target` is not touched. */
export async function rawGet(
  port: number,
  target: string,
  headers: readonly string[] = ['Host: localhost'],
): Promise<{ status: number; head: string; body: string }> {
  const answer = await raw(
    port,
    [`GET ${target} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n'),
  );
  const [head = '', body = ''] = answer.split(/\r\n\r\n(.*)/s);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body };
}

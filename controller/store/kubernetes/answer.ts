import type { IncomingMessage } from 'node:http';
import type { Answer } from './statuses.ts';

/** A page of 500 objects; `TooLarge` has the reflector ask for shorter ones. */
const largestBody = 64 * 1024 * 1024;

/** The answer was longer than any that is read. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** All of a response; throws `TooLarge`, and for a success that is no JSON. */
export async function answerOf(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > largestBody) throw new TooLarge(`an answer of more than ${largestBody} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const { statusCode: status = 0, headers } = response;
  const seconds = Number(headers['retry-after'] ?? 0);
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
  return { status, retryAfterMs, body: parsed(text, status) };
}

/** A failure may come from something on the way, which speaks no JSON: then its text is the message. */
function parsed(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (status >= 300) return { message: text.trim().slice(0, 200) };
    throw error;
  }
}

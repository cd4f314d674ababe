import { parentPort } from 'node:worker_threads';
import { asCairnError } from '../../crds/reasons.ts';
import type { Failure, FromThread, ToThread } from './messages.ts';

/** Does one call. `tell` sends news of it to whoever called. */
export type Answerer<Call, Answer, News> = (
  call: Call,
  context: { readonly signal: AbortSignal; readonly tell: (news: News) => void },
) => Promise<Answer>;

/** Makes this worker thread answer the calls of a `ThreadCaller`. Throws outside a worker thread. */
export function answerCalls<Call, Answer, News = never>(
  answer: Answerer<Call, Answer, News>,
  detailOf: (error: unknown) => unknown = () => undefined,
): void {
  if (!parentPort) throw new Error('this file runs as a worker thread only');
  const port = parentPort;
  const running = new Map<number, AbortController>();
  const send = (message: FromThread<Answer, News>) => port.postMessage(message);

  port.on('message', (message: ToThread<Call>) => {
    if (message.type === 'abort') running.get(message.id)?.abort(new Error('stopped'));
    else void run(message.id, message.call);
  });

  async function run(id: number, call: Call): Promise<void> {
    const stop = new AbortController();
    running.set(id, stop);
    try {
      const tell = (news: News) => send({ type: 'news', id, news });
      send({ type: 'done', id, answer: await answer(call, { signal: stop.signal, tell }) });
    } catch (error) {
      send({ type: 'failed', id, failure: failureOf(error) });
    } finally {
      running.delete(id);
    }
  }

  function failureOf(error: unknown): Failure {
    const { reason, message } = asCairnError(error);
    const detail = detailOf(error);
    return { reason, message, ...(detail === undefined ? {} : { detail }) };
  }
}

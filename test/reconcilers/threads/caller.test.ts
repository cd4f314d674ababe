import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ThreadCaller } from '../../../reconcilers/threads/caller.ts';
import type { EchoCall } from './echo-thread.ts';

const { signal } = new AbortController();

function echo(t: TestContext): ThreadCaller<EchoCall, string, string> {
  const script = new URL('./echo-thread.ts', import.meta.url);
  const caller = new ThreadCaller<EchoCall, string, string>(script, undefined);
  t.after(() => caller.close());
  return caller;
}

test('answers many calls at once, each with its own answer and news', async (t) => {
  const caller = echo(t);
  const news: string[] = [];
  const onNews = (text: string) => news.push(text);

  const slow = caller.call({ say: 'slow', after: 50 }, { signal, onNews });
  const fast = caller.call({ say: 'fast' }, { signal });

  assert.deepEqual(await Promise.all([slow, fast]), ['slow', 'fast']);
  assert.deepEqual(news, ['about to say slow']);
});

test('a failure keeps its reason, its message and its detail', async (t) => {
  await assert.rejects(echo(t).call({ say: 'file', end: 'fail' }, { signal }), {
    reason: 'FileMissing',
    message: 'file is not there',
    detail: { of: 'FileMissing' },
  });
});

test('what nobody expected is an internal error with its message', async (t) => {
  await assert.rejects(echo(t).call({ say: 'undefined', end: 'surprise' }, { signal }), {
    reason: 'InternalError',
    message: 'undefined is no function',
  });
});

test('a call that is stopped ends at once, and others go on', async (t) => {
  const caller = echo(t);
  const stop = new AbortController();
  const stopped = caller.call({ say: 'never', after: 60_000 }, { signal: stop.signal });
  const other = caller.call({ say: 'other', after: 30 }, { signal });
  stop.abort(new Error('enough'));

  await assert.rejects(stopped, /enough/);
  assert.equal(await other, 'other');
});

test('a call that is stopped before it begins never begins', async (t) => {
  const stopped = AbortSignal.abort(new Error('enough'));

  await assert.rejects(echo(t).call({ say: 'never' }, { signal: stopped }), /enough/);
});

test('a thread that dies fails its calls, and the next call starts another', async (t) => {
  const caller = echo(t);
  const waiting = caller.call({ say: 'waiting', after: 60_000 }, { signal });
  const dying = caller.call({ say: 'dying', end: 'die' }, { signal });

  await assert.rejects(dying, { reason: 'InternalError', message: /died/ });
  await assert.rejects(waiting, { reason: 'InternalError', message: /died/ });
  assert.equal(await caller.call({ say: 'again' }, { signal }), 'again');
});

test('closing ends the calls that run', { timeout: 10_000 }, async (t) => {
  const caller = echo(t);
  const running = caller.call({ say: 'never', after: 60_000 }, { signal });
  running.catch(() => {});
  await caller.call({ say: 'it runs' }, { signal });

  await caller.close();

  await assert.rejects(running, { message: /closed/ });
});

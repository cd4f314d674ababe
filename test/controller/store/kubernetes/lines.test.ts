import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonLines } from '../../../../controller/store/kubernetes/lines.ts';

async function read(chunks: readonly Buffer[]): Promise<unknown[]> {
  return Array.fromAsync(jsonLines(streamed(chunks)));
}

async function* streamed(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

describe('the lines of a watch', () => {
  const values = [{ text: 'žluťoučký 🐎' }, { text: '' }, [1, 2]];
  const whole = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));

  it('are the same wherever they are cut, inside of characters too', async () => {
    const bytes = Array.from(whole, (byte) => Buffer.of(byte));
    assert.deepEqual(await read(bytes), values);
    for (let at = 0; at <= whole.length; at += 1) {
      assert.deepEqual(await read([whole.subarray(0, at), whole.subarray(at)]), values);
    }
  });

  it('count only when they are complete', async () => {
    assert.deepEqual(await read([whole.subarray(0, whole.length - 1)]), values.slice(0, 2));
  });

  it('are refused when they are no JSON, or have no end', async () => {
    await assert.rejects(read([Buffer.from('{"a":\n')]), SyntaxError);
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    await assert.rejects(read(Array.from({ length: 17 }, () => chunk)), /a line of more than/);
  });
});

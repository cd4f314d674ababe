import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog, type LogOptions } from '../../controller/log.ts';
import { redact } from '../../reconcilers/redact.ts';

describe('the log', () => {
  it('writes one JSON object a line, with the fields of its parents', () => {
    const { log, lines } = logging({ format: 'json' });

    log.child({ kind: 'Mirror' }).info('refreshed', { name: 'debian', packages: 3 });

    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [
        {
          ts: '2026-08-01T00:00:00.000Z',
          level: 'info',
          msg: 'refreshed',
          kind: 'Mirror',
          name: 'debian',
          packages: 3,
        },
      ],
    );
  });

  it('writes text for people, in which no field can forge a line', () => {
    const { log, lines } = logging({ format: 'text' });

    log.warn('look\nhere', { name: 'debian', because: 'two words\n2026-08-01 ERROR x' });

    assert.deepEqual(lines, [
      '2026-08-01T00:00:00.000Z WARN  look here name=debian ' +
        'because="two words\\n2026-08-01 ERROR x"\n',
    ]);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = logging({ format: 'text', level: 'warn' });

    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');

    assert.equal(lines.length, 2);
  });

  it('shows no secrets, however deep they are', () => {
    const { log, lines } = logging({ format: 'json' });
    const cause = new Error('GET https://user:s3cret@host/x failed');

    log.error('s3cret: see https://user:s3cret@host', {
      password: 's3cret',
      request: { headers: { Authorization: 'Bearer s3cret', accept: '*/*' } },
      secretRef: 'my-secret-name',
      error: new Error('Authorization: Basic s3cret', { cause }),
      urls: ['ssh://git:s3cret@host/repo?access_token=s3cret'],
    });

    const text = lines.join('').replace('s3cret: see', '');
    assert.doesNotMatch(text, /s3cret/);
    assert.match(text, /my-secret-name/);
    assert.match(text, /log\.test\.ts/, 'the stack is there');
  });

  it('survives what is circular, huge or odd', () => {
    const { log, lines } = logging({ format: 'json' });
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;

    log.info('odd', { circle, big: 10n, text: 'x'.repeat(1e6), none: undefined, many: Array(1e5) });

    assert.ok((lines[0]?.length ?? 0) < 20_000);
  });
});

describe('redaction', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['see https://user:pw@host/a', 'see https://***@host/a'],
    ['https://token@host', 'https://***@host'],
    ['https://u:p@ss@host/a@b', 'https://***@host/a@b'],
    ['git@host:repo and me@example.org stay', 'git@host:repo and me@example.org stay'],
    ['{"authorization":"Bearer abc.def"}', '{"authorization":"***"}'],
    ['Authorization: Basic dXNlcjpwdw==', 'Authorization: ***'],
    ['https://h/x?a=1&access_token=abc&b=2', 'https://h/x?a=1&access_token=***&b=2'],
    ['https://h/a/b?c=d', 'https://h/a/b?c=d'],
  ];
  for (const [text, expected] of cases) {
    it(`turns ${text} into ${expected}`, () => assert.equal(redact(text), expected));
  }
});

function logging(options: Partial<LogOptions>) {
  const lines: string[] = [];
  const log = createLog({
    format: 'json',
    level: 'debug',
    write: (line) => lines.push(line),
    now: () => new Date('2026-08-01T00:00:00Z'),
    ...options,
  });
  return { log, lines };
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { splitCleartext, splitSignatures } from '../../apt/cleartext.ts';

const signature = '-----BEGIN PGP SIGNATURE-----\n\nabcd\n=abcd\n-----END PGP SIGNATURE-----\n';
const head = '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n';
const body = 'Origin: Test\n- -dash\nSuite: x\n';

describe('an InRelease', () => {
  it('is taken apart into its text and its signatures', () => {
    const { text, signatures } = splitCleartext(head + body + signature);

    assert.equal(text, 'Origin: Test\n-dash\nSuite: x\n');
    assert.deepEqual(signatures, [signature]);
  });

  it('may have several signature blocks, and empty lines around them', () => {
    const { signatures } = splitCleartext(`${head}${body}${signature}\n${signature}\n`);

    assert.deepEqual(signatures, [signature, signature]);
  });

  it('keeps blanks and carriage returns of the text, and takes bytes as well', () => {
    const { text } = splitCleartext(Buffer.from(`${head}a \t\r\nb\n${signature}`));

    assert.equal(text, 'a \t\r\nb\n');
  });

  for (const [title, wrong] of [
    ['nothing', ''],
    ['a web page', '<html>\n'],
    ['an unsigned Release', body],
    ['a byte order mark', `\ufeff${head}${body}${signature}`],
    ['an empty line at the start', `\n${head}${body}${signature}`],
    ['text before the message', `Origin: Evil\n${head}${body}${signature}`],
    ['text after the signature', `${head}${body}${signature}Origin: Evil\n`],
    ['text between two signatures', `${head}${body}${signature}Origin: Evil\n${signature}`],
    ['a second message', `${head}${body}${signature}${head}${body}${signature}`],
    ['no signature', head + body],
    ['a signature that does not end', `${head}${body}${signature.slice(0, -10)}`],
    ['a message inside of a signature', `${head}${body}${signature.replace('=abcd', head)}`],
    ['a dash that is not escaped', `${head}-Origin: x\n${signature}`],
    ['a message inside of the message', `${head}${head}${body}${signature}`],
    ['no empty line after the headers', `${head.trimEnd()}\n${body}${signature}`],
    [
      'another armor header',
      head.replace('Hash: SHA256', 'NotDashEscaped: yes') + body + signature,
    ],
    ['a line over 64 KiB', `${head}${'x'.repeat(65_537)}\n${signature}`],
  ] as const) {
    it(`is refused when it has ${title}`, () => {
      assert.throws(() => splitCleartext(wrong), { reason: 'ReleaseInvalid' });
    });
  }

  it('is refused when it is no UTF-8', () => {
    const bytes = Buffer.from(`${head}Origin: \xff\n${signature}`, 'latin1');

    assert.throws(() => splitCleartext(bytes), { reason: 'ReleaseInvalid', message: /UTF-8/ });
  });

  it('is refused when it is larger than 16 MiB', () => {
    const large = `${head}${`${'x'.repeat(1000)}\n`.repeat(17_000)}${signature}`;

    assert.throws(() => splitCleartext(large), { reason: 'TooLarge' });
  });
});

describe('a Release.gpg', () => {
  it('may have several signature blocks', () => {
    assert.deepEqual(splitSignatures(signature + signature), [signature, signature]);
  });

  for (const wrong of ['', 'x', '\x89\x01', `${signature}x\n`, `${signature}${head}`]) {
    it(`is refused when it is ${JSON.stringify(wrong.slice(-20))}`, () => {
      assert.throws(() => splitSignatures(wrong), { reason: 'ReleaseInvalid' });
    });
  }
});

/** When an image has to be made again: when its archives have other packages. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { parseRelease } from '../../../apt/release.ts';
import { releaseContent } from '../../../builders/docker/release-content.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Of a Release with these files, whose text is given. */
function content(files: Readonly<Record<string, string>>, fields = ''): unknown {
  const lines = Object.entries(files).map(
    ([path, text]) => ` ${sha256(text)} ${text.length} ${path}\n`,
  );
  const head = 'Suite: stable\nComponents: main\nArchitectures: amd64\n';
  const text = `${head}Date: Mon, 02 Nov 2026 10:00:00 UTC\n${fields}SHA256:\n${lines.join('')}`;
  return releaseContent(parseRelease(text), ['main'], 'amd64');
}

const plain = { 'main/binary-amd64/Packages': 'one' };
const gz = { 'main/binary-amd64/Packages.gz': 'one in gz' };
const xz = { 'main/binary-amd64/Packages.xz': 'one in xz' };
const other = { 'main/binary-arm64/Packages': 'arm', 'main/Contents-amd64.gz': 'lists' };

describe('what an archive is to a build', () => {
  it('is its packages, in whatever forms their list comes', () => {
    const before = content({ ...plain, ...gz });
    assert.deepEqual(content({ ...plain, ...gz, ...xz, ...other }), before);
    assert.notDeepEqual(content({ ...plain, 'main/binary-amd64/Packages': 'two' }), before);
    assert.notDeepEqual(content({ ...plain, 'main/binary-all/Packages': 'more' }), before);
    assert.notDeepEqual(content(plain, 'NotAutomatic: yes\n'), before);
  });

  it('is the forms that are listed when the plain one is not', () => {
    const before = content(gz);
    assert.notDeepEqual(before, content({}));
    assert.notDeepEqual(content({ 'main/binary-amd64/Packages.gz': 'two in gz' }), before);
  });
});

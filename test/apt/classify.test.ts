import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classify } from '../../apt/classify.ts';

const components = ['main', 'non-free', 'non-free-firmware', 'main/extra'];

describe('a path of a Release', () => {
  for (const [path, family, component, which] of [
    ['main/binary-amd64/Packages', 'packages', 'main', 'amd64'],
    ['main/binary-amd64/Packages.xz', 'packages', 'main', 'amd64'],
    ['main/binary-all/Packages.gz', 'packages', 'main', 'all'],
    ['main/binary-amd64v3/Packages.zst', 'packages', 'main', 'amd64v3'],
    ['main/extra/binary-amd64/Packages', 'packages', 'main/extra', 'amd64'],
    ['non-free-firmware/binary-arm64/Packages', 'packages', 'non-free-firmware', 'arm64'],
    ['main/binary-amd64/Release', 'release', 'main', 'amd64'],
    ['main/source/Release', 'release', 'main', 'source'],
    ['main/source/Sources.xz', 'sources', 'main', 'source'],
    ['main/i18n/Translation-en.bz2', 'translations', 'main', 'en'],
    ['main/i18n/Translation-pt_BR.xz', 'translations', 'main', 'pt_BR'],
    ['main/i18n/Index', 'translations', 'main', undefined],
    ['main/Contents-amd64.gz', 'contents', 'main', 'amd64'],
    ['main/Contents-source', 'contents', 'main', 'source'],
    ['main/Contents-all.gz', 'contents', 'main', 'all'],
    ['Contents-amd64.gz', 'contents', undefined, 'amd64'],
    ['main/Contents-udeb-amd64.gz', 'installer', 'main', 'amd64'],
    ['main/debian-installer/binary-amd64/Packages.gz', 'installer', 'main', 'amd64'],
    ['main/debian-installer/binary-amd64/Release', 'installer', 'main', 'amd64'],
    ['main/installer-amd64/current/images/SHA256SUMS', 'installer', 'main', 'amd64'],
    ['main/dep11/Components-amd64.yml.gz', 'appstream', 'main', 'amd64'],
    ['main/dep11/CID-Index-amd64.json.gz', 'appstream', 'main', 'amd64'],
    ['main/dep11/icons-64x64.tar.gz', 'appstream', 'main', undefined],
    ['main/dep11/icons-64x64@2.tar', 'appstream', 'main', undefined],
    ['main/cnf/Commands-amd64.xz', 'commandNotFound', 'main', 'amd64'],
    ['main/binary-amd64/Packages.diff/Index', 'pdiff', 'main', undefined],
    ['main/i18n/Translation-en.diff/Index', 'pdiff', 'main', undefined],
    ['main/Contents-amd64.diff/2026-11-21-0800.gz', 'pdiff', 'main', undefined],
    ['Packages', 'packages', undefined, undefined],
    ['Packages.bz2', 'packages', undefined, undefined],
    ['Sources.gz', 'sources', undefined, 'source'],
    ['Release', 'release', undefined, undefined],
    ['main/uefi/grub2-amd64/current/SHA256SUMS', 'other', 'main', undefined],
    ['main/signed/linux-amd64/6.1/SHA256SUMS', 'other', 'main', undefined],
    ['main/dist-upgrader-all/current/SHA256SUMS', 'other', 'main', undefined],
    ['contrib/binary-amd64/Packages', 'other', undefined, undefined],
    ['mainline/binary-amd64/Packages', 'other', undefined, undefined],
  ] as const) {
    it(`${path} is ${family} of ${component ?? 'the suite'}`, () => {
      const file = classify(path, components);

      assert.equal(file.family, family);
      assert.equal(file.component, component);
      assert.equal(file.architecture ?? file.language, which);
      assert.equal(file.base + file.compression, path);
    });
  }
});

import { describe } from 'node:test';
import { compressed, control, controlOf, megabyte, refuses } from './hostile.ts';
import { paxOf, rawTar } from './raw-tar.ts';

describe('a control.tar is refused', () => {
  for (const name of ['../control', '/etc/passwd', 'a/b', '..', './../x', 'x\ny', './/control']) {
    refuses(
      `with the name ${JSON.stringify(name)}`,
      controlOf(control, { name, content: 'x' }),
      /^control\.tar: expected plain files, not the file /,
    );
  }
  for (const [type, kind] of Object.entries({
    1: 'link',
    2: 'symlink',
    3: 'device',
    5: 'directory',
    6: 'device',
    S: 'sparse',
    D: 'backup',
    M: 'backup',
    V: 'backup',
  })) {
    refuses(
      `with a control that is of type ${kind}`,
      controlOf({ name: 'control', type }),
      new RegExp(`expected plain files, not the ${kind} "control"`),
    );
  }
  refuses(
    'with a file in the content of its folder',
    controlOf({ name: './', type: '5', content: rawTar([control], Buffer.alloc(0)) }, control),
    /^control\.tar: the directory "\.\/" has content$/,
  );
  for (const type of ['A', 'E', 'I', 'N', '7', 'Z']) {
    refuses(
      `with a second control of type ${type}, which GNU tar takes for a file`,
      controlOf(control, { ...control, type }),
      /comes twice$/,
    );
  }
  refuses(
    'with a control that has holes',
    controlOf(
      {
        name: 'x',
        type: 'x',
        content: paxOf({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' }),
      },
      control,
    ),
    /not the sparse "\.\/control"$/,
  );
  refuses(
    'with two files control',
    controlOf(control, control),
    /^control\.tar: file "control" comes twice$/,
  );
  refuses(
    'with two files control of different spelling',
    controlOf(control, { ...control, name: 'control' }),
    /comes twice/,
  );
  refuses(
    'without control',
    controlOf({ name: './md5sums', content: '' }),
    /^control\.tar: it has no file control$/,
  );
  refuses(
    'with a control that is too large',
    controlOf({ name: 'control', content: Buffer.alloc(megabyte + 1) }),
    /file control has more than the 1048576 bytes/,
  );
  refuses(
    'with a control that only says to be too large',
    controlOf({ name: 'control', size: '77777777777\0' }),
    /file control has more than/,
  );
  refuses(
    'with a control that is not there',
    controlOf({ name: 'control', size: '00000200000\0' }),
    /^control\.tar: the tar archive is cut short$/,
  );
  refuses(
    'with a negative size',
    controlOf({ name: 'control', size: Buffer.alloc(12, 255) }),
    /a size that no file can have/,
  );
  refuses(
    'with a size beyond all numbers',
    controlOf({
      name: 'control',
      size: Buffer.concat([Buffer.from([128]), Buffer.alloc(11, 255)]),
    }),
    /a size that no file can have/,
  );
  refuses(
    'with a size that is no number',
    controlOf({ name: 'control', size: '0000000009\0' }),
    /a size that no file can have/,
  );
  refuses(
    'with a wrong checksum',
    controlOf({ ...control, checksum: '000000\0 ' }),
    /does not match its checksum/,
  );
  refuses(
    'with too many files',
    controlOf(...Array.from({ length: 1001 }, (_, index) => ({ name: `x${index}` })), control),
    /^control\.tar: it has more than 1000 entries$/,
  );
  refuses(
    'with long names upon long names',
    controlOf(
      ...Array.from({ length: 2000 }, () => ({ name: 'x', type: 'K', content: 'y' })),
      control,
    ),
    /more than 1000 entries/,
  );
  refuses(
    'with pax headers upon pax headers',
    controlOf(
      ...Array.from({ length: 2000 }, () => ({
        name: 'x',
        type: 'g',
        content: paxOf({ comment: 'x' }),
      })),
      control,
    ),
    /more than 1000 entries/,
  );
  refuses(
    'with a pax header that renames a file to what is there',
    controlOf(
      control,
      { name: 'x', type: 'x', content: paxOf({ path: 'control' }) },
      { name: 'md5sums' },
    ),
    /"control" comes twice/,
  );
  refuses(
    'with a pax header that renames a file to outside',
    controlOf({ name: 'x', type: 'x', content: paxOf({ path: '../x' }) }, control),
    /not the file "\.\.\/x"/,
  );
  refuses(
    'with a pax header with a wrong length',
    controlOf({ name: 'x', type: 'x', content: '999 path=x\n' }, control),
    /pax header is corrupt/,
  );
  refuses(
    'with a pax header that goes nowhere',
    controlOf({ name: 'x', type: 'x', content: '0 path=x\n' }, control),
    /pax header is corrupt/,
  );
  refuses(
    'with a pax header of many megabytes',
    controlOf({ name: 'x', type: 'x', size: '00100000000\0' }, control),
    /pax header is too long/,
  );
  refuses(
    'with a long name of many megabytes',
    controlOf({ name: 'x', type: 'L', size: '00100000000\0' }, control),
    /a path is longer than 255 bytes/,
  );
  refuses(
    'with an entry without a name',
    controlOf({ name: '', size: '00000000001\0' }, control),
    /no name|cut short|checksum/,
  );
  refuses(
    'that is no archive',
    { controlArchive: ['control.tar', 'x'.repeat(2000)] },
    /^control\.tar: a tar header does not match/,
  );
  refuses(
    'that is no gzip',
    { controlArchive: ['control.tar.gz', 'x'.repeat(2000)] },
    /^"control\.tar\.gz": the \.gz file cannot be decompressed/,
  );
  refuses(
    'that is empty',
    { controlArchive: ['control.tar.xz', ''] },
    /^"control\.tar\.xz": .*empty/,
  );

  const bomb = rawTar([control, { name: './x', content: Buffer.alloc(80 * megabyte) }]);
  for (const [extension, packed] of compressed(bomb)) {
    refuses(
      `when it unpacks to more than allowed (${extension})`,
      { controlArchive: [`control.tar${extension}`, packed] },
      /decompresses to more than 67108864 bytes/,
    );
  }
});

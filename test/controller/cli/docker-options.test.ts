import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { dockerOf } from '../../../controller/cli/docker-options.ts';
import { engineCertificates } from '../../../controller/docker-tls.ts';
import { makeAuthority } from '../../world/certificates.ts';
import { tempDir } from '../../world/temp.ts';

describe('the options for builds', () => {
  it('name the engine, and the certificates for it', () => {
    const tcp = 'tcp://docker.example.com:2376';
    assert.deepEqual(dockerOf({ docker: tcp, 'docker-tls': 'tls' }, '/srv'), {
      ...{ address: tcp, toolbox: undefined, tlsFolder: '/srv/tls', concurrency: 2 },
    });
    assert.deepEqual(dockerOf({ docker: '/run/x', 'docker-concurrency': '8' }, '/'), {
      ...{ address: '/run/x', toolbox: undefined, tlsFolder: undefined, concurrency: 8 },
    });
    assert.equal(dockerOf({ 'docker-concurrency': '2' }, '/'), undefined);
  });

  it('fit together', () => {
    const usage = (message: RegExp) => ({ name: 'UsageError', message });
    assert.throws(() => dockerOf({ 'docker-tls': 'x' }, '/'), usage(/is for --docker$/));
    const socket = { docker: '/run/docker.sock', 'docker-tls': 'x' };
    assert.throws(() => dockerOf(socket, '/'), usage(/is for --docker tcp:/));
    const none = { docker: '/x', 'docker-concurrency': '0' };
    assert.throws(() => dockerOf(none, '/'), usage(/expected a number from 1 to 999$/));
  });

  it('say at once that certificates are missing, or are no good', async (t) => {
    const folder = tempDir(t);
    const { ca, client } = await makeAuthority(t);
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    assert.throws(() => engineCertificates(folder), /expected in \S+ ca\.pem, cert\.pem, key\.pem/);
    write('ca.crt', ca);
    write('tls.crt', client.cert);
    write('tls.key', 'canary');
    assert.throws(
      () => engineCertificates(folder),
      (error: Error) => /are no good/.test(error.message) && !/canary/.test(error.message),
    );
    write('tls.key', client.key);
    assert.equal(engineCertificates(folder).cert, client.cert);
  });
});

import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import path from 'node:path';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { selfSigned } from '../../../controller/http/certificate.ts';
import { createServer } from '../../../controller/http/server.ts';
import { ownCertificate } from '../../../controller/tls.ts';
import { tempDir } from '../../world/temp.ts';
import { startServer } from './fixture.ts';

const now = new Date('2026-08-01T12:00:00Z');
const day = 24 * 3600 * 1000;

describe('a certificate of our own', () => {
  it('is for its names and addresses, and signs itself', () => {
    const hosts = ['localhost', 'apt.example.com', '127.0.0.1', '::1', 'fe80::1:2'];
    const { cert, key } = selfSigned(hosts, now);
    const certificate = new X509Certificate(cert);
    assert.ok(certificate.checkHost('apt.example.com'));
    assert.equal(certificate.checkHost('other.example.com'), undefined);
    for (const address of ['127.0.0.1', '::1', 'fe80::1:2'])
      assert.ok(certificate.checkIP(address));
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
    assert.ok(certificate.ca);
    assert.equal(Date.parse(certificate.validFrom), now.getTime());
  });

  it('lasts beyond the years that two digits can tell', () => {
    const late = new X509Certificate(selfSigned(['x'], new Date('2045-01-01T00:00:00Z')).cert);
    assert.match(late.validTo, /2054|2055/);
  });

  it('is kept until it nearly ends; that of an operator for ever', (t) => {
    const folder = tempDir(t);
    const first = ownCertificate(folder, '127.0.0.1', now);
    assert.deepEqual(ownCertificate(folder, '127.0.0.1', now), first);
    const later = new Date(now.getTime() + 3640 * day);
    assert.notEqual(ownCertificate(folder, '127.0.0.1', later).cert, first.cert);
    assert.match(readFileSync(path.join(folder, 'tls.key'), 'utf8'), /PRIVATE KEY/);
  });
});

it('everything is served over TLS as well', async (t) => {
  const { options } = await startServer(t);
  const server = createServer({ ...options, metrics: new Registry() });
  t.after(() => server.close(0));
  const certificate = selfSigned(['127.0.0.1'], new Date());
  const secure = { host: '127.0.0.1', port: 0, ...certificate };
  const { secureUrl = '' } = await server.listen('127.0.0.1', 0, secure);
  const outgoing = request(`${secureUrl}/apis`, { ca: certificate.cert });
  outgoing.end();
  const [response] = await once(outgoing, 'response');
  response.resume();
  assert.equal(response.statusCode, 200);
  await once(response, 'end');
});

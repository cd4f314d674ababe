import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  addressAnnotation,
  addressIn,
  addressOf,
  fromHere,
  parseAdvertised,
} from '../../../controller/leader/address.ts';

describe('the address of a replica', () => {
  for (const [url, given, address] of [
    ['http://127.0.0.1:8080', undefined, '127.0.0.1:8080'],
    ['http://[::1]:8080', undefined, '[::1]:8080'],
    ['http://0.0.0.0:8080', undefined, undefined],
    ['http://[::]:8080', undefined, undefined],
    ['http://0.0.0.0:8080', '10.0.0.7', '10.0.0.7:8080'],
    ['http://0.0.0.0:80', '10.0.0.7', '10.0.0.7:80'],
    ['http://[::]:8080', 'fd00::7', '[fd00::7]:8080'],
    ['http://[::]:8080', '[fd00::7]:9090', '[fd00::7]:9090'],
    ['http://127.0.0.1:8080', '10.0.0.7:9090', '10.0.0.7:9090'],
  ] as const) {
    it(`of one that serves at ${url}, told ${given}, is ${address}`, () => {
      const advertised = given === undefined ? undefined : parseAdvertised(given);
      assert.equal(addressOf(url, advertised), address);
      if (address !== undefined) {
        assert.equal(addressIn({ [addressAnnotation]: address }), address);
      }
    });
  }

  for (const text of [
    ...['', 'replica-0', 'example.com:80', '10.0.0.7:', '10.0.0.7:0', '10.0.0.7:65536'],
    ...['10.0.0.7:80/x', 'http://10.0.0.7', '[10.0.0.7]:80', 'fd00::7:x', '10.0.0.7:80@x:1'],
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.equal(parseAdvertised(text), undefined);
      assert.equal(addressIn({ [addressAnnotation]: text }), undefined);
    });
  }

  it('is a loopback address on its own machine, when it listens on all', () => {
    for (const all of ['0.0.0.0', '[::]']) {
      assert.equal(fromHere(`http://${all}:8080`), 'http://127.0.0.1:8080');
      assert.equal(fromHere(`http://${all}`), 'http://127.0.0.1');
    }
    for (const url of ['http://127.0.0.2:1', 'http://[::1]:8080', 'http://10.0.0.7:8080']) {
      assert.equal(fromHere(url), url);
    }
  });

  it('is none without a port, in a Lease', () => {
    assert.equal(addressIn({ [addressAnnotation]: '10.0.0.7' }), undefined);
    assert.equal(addressIn({ [addressAnnotation]: 7 }), undefined);
    assert.equal(addressIn({}), undefined);
  });
});

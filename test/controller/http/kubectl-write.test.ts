/** What people do with kubectl: apply, edit, diff, wait, delete. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { kubectlFor, type Kubectl } from '../../world/kubectl.ts';
import { run } from '../../world/process.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { until } from '../store/store.contract.ts';
import { startServer, type Fixture } from './fixture.ts';

const key = { kind: 'Mirror', namespace: 'default', name: 'a' };

/** A Mirror as people write it. */
function manifest({ labels = '', spec = '' } = {}): string {
  return `apiVersion: cairn.build/v1alpha1
kind: Mirror
metadata: { name: a${labels && `, labels: ${labels}`} }
spec: { url: "http://x.example", suites: [s], allowUnsigned: true${spec && `, ${spec}`} }
`;
}

async function world(t: Scope): Promise<{ server: Fixture; kubectl: Kubectl }> {
  const server = await startServer(t);
  return { server, kubectl: kubectlFor(t, server) };
}

async function specOf({ store }: Fixture): Promise<Record<string, unknown>> {
  return (await store.get(key))?.spec as Record<string, unknown>; // undefined fails in its use
}

async function good(finished: ReturnType<Kubectl>): Promise<string> {
  const { code, stdout, output } = await finished;
  assert.equal(code, 0, output);
  return stdout;
}

describe('kubectl apply', () => {
  it('creates, configures, and sees that nothing has changed', async (t) => {
    const { server, kubectl } = await world(t);
    const apply = (text: string) => good(kubectl.reading(text, 'apply', '-f', '-'));
    assert.equal(await apply(manifest({ spec: 'interval: 2h' })), 'mirror.cairn.build/a created\n');
    assert.equal(
      await apply(manifest({ spec: 'interval: 2h' })),
      'mirror.cairn.build/a unchanged\n',
    );
    assert.equal(await apply(manifest()), 'mirror.cairn.build/a configured\n');
    assert.equal((await specOf(server))['interval'], undefined, 'what is declared no more is gone');
  });

  it('on the server’s side keeps two managers apart', async (t) => {
    const { server, kubectl } = await world(t);
    const apply = (text: string, ...args: readonly string[]) =>
      kubectl.reading(text, 'apply', '--server-side', '-f', '-', ...args);
    const applied = await good(apply(manifest({ labels: '{ tier: base }' })));
    assert.equal(applied, 'mirror.cairn.build/a serverside-applied\n');
    await good(apply(manifest({ spec: 'interval: 2h' }), '--field-manager=other'));

    const refused = await apply(manifest({ labels: '{ tier: top }' }), '--field-manager=other');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /conflict with "kubectl": \.metadata\.labels\.tier/);
    const forced = ['--field-manager=other', '--force-conflicts'];
    await good(apply(manifest({ labels: '{ tier: top }' }), ...forced));
    assert.equal((await server.store.get(key))?.metadata.labels?.['tier'], 'top');
    assert.equal((await specOf(server))['interval'], undefined, 'its manager gives it no more');
  });

  it('goes over from one side to the other, and back', async (t) => {
    const { server, kubectl } = await world(t);
    await good(kubectl.reading(manifest({ spec: 'interval: 2h' }), 'apply', '-f', '-'));
    const next = manifest({ spec: 'interval: 3h' });
    await good(kubectl.reading(next, 'apply', '--server-side', '-f', '-'));
    assert.equal((await specOf(server))['interval'], '3h');
    await good(kubectl.reading(manifest(), 'apply', '--server-side', '-f', '-'));
    assert.equal((await specOf(server))['interval'], undefined);
  });

  it('is told the name of every field that is refused', async (t) => {
    const { kubectl } = await world(t);
    const bad = manifest({ spec: 'colour: red, limits: { conections: 2 }, interval: soon' });
    for (const side of ['--server-side=false', '--server-side']) {
      const { code, stderr } = await kubectl.reading(bad, 'apply', side, '-f', '-');
      assert.equal(code, 1);
      for (const field of ['spec.colour', 'spec.limits.conections', 'spec.interval']) {
        assert.ok(stderr.includes(field), `${side} ${field}: ${stderr}`);
      }
    }
    const create = await kubectl.reading(bad, 'create', '-f', '-');
    assert.match(
      create.stderr,
      /spec\.limits\.conections: unknown field; did you mean `connections`/,
    );
  });

  it('is warned of unknown fields if it likes that better', async (t) => {
    const { server, kubectl } = await world(t);
    const odd = manifest({ spec: 'colour: red' });
    const warned = await kubectl.reading(odd, 'apply', '--validate=warn', '-f', '-');
    assert.deepEqual([warned.code, warned.stderr], [0, 'Warning: unknown field "spec.colour"\n']);
    const ignored = await kubectl.reading(odd, 'apply', '--validate=ignore', '-f', '-');
    assert.deepEqual([ignored.code, ignored.stderr], [0, '']);
    assert.equal((await specOf(server))['colour'], undefined);
  });

  it('rehearses', async (t) => {
    const { server, kubectl } = await world(t);
    for (const side of ['--server-side=false', '--server-side']) {
      const args = ['apply', side, '--dry-run=server', '-f', '-'];
      assert.match(await good(kubectl.reading(manifest(), ...args)), /\(server dry run\)$/m);
    }
    assert.equal(await server.store.get(key), undefined);
    await good(kubectl.reading(manifest(), 'apply', '-f', '-'));
    const same = await kubectl.reading(manifest(), 'diff', '-f', '-');
    assert.deepEqual([same.code, same.stdout], [0, '']);
    for (const side of ['--server-side=false', '--server-side']) {
      const input = manifest({ spec: 'suspend: true' });
      const differs = await kubectl.reading(input, 'diff', side, '-f', '-');
      assert.equal(differs.code, 1, differs.output);
      assert.match(differs.stdout, /^- {2}suspend: false\n\+ {2}suspend: true$/m);
      assert.doesNotMatch(differs.stdout, /^[-+] +resourceVersion/m);
    }
  });
});

describe('kubectl', () => {
  it('edits, patches, labels and annotates', async (t) => {
    const { server, kubectl } = await world(t);
    await good(kubectl.reading(manifest(), 'create', '-f', '-'));
    const editor = path.join(tempDir(t), 'editor');
    const script = '#!/bin/sh\nsed -i "s/maxShrinkPercent:.*/maxShrinkPercent: 30/" "$1"\n';
    writeFileSync(editor, script, { mode: 0o755 });
    const env = { ...kubectl.env, KUBE_EDITOR: editor };
    const edited = await run(kubectl.program, ['edit', 'mirror', 'a'], { env });
    assert.equal(edited.stdout, 'mirror.cairn.build/a edited\n', edited.output);
    assert.equal((await specOf(server))['maxShrinkPercent'], 30);

    await good(kubectl('patch', 'mirror', 'a', '--type=merge', '-p', '{"spec":{"interval":"2h"}}'));
    const step = '[{"op":"replace","path":"/spec/suites/0","value":"t"}]';
    await good(kubectl('patch', 'mirror', 'a', '--type=json', '-p', step));
    await good(kubectl('label', 'mirror', 'a', 'tier=base'));
    await good(kubectl('annotate', 'mirrors', '--all', 'note=hello'));
    const { metadata, spec } = (await server.store.get(key)) ?? {};
    const { interval, suites } = spec as Record<string, unknown>;
    assert.deepEqual([interval, suites], ['2h', ['t']]);
    assert.deepEqual(
      [metadata?.labels, metadata?.annotations],
      [{ tier: 'base' }, { note: 'hello' }],
    );
    await good(kubectl('label', 'mirror', 'a', 'tier-'));
    const strategic = await kubectl('patch', 'mirror', 'a', '-p', '{"spec":{"suspend":true}}');
    assert.match(strategic.stderr, /application\/merge-patch\+json/, 'what would work is named');
  });

  it('replaces what it has read, unless somebody was faster', async (t) => {
    const { kubectl } = await world(t);
    await good(kubectl.reading(manifest(), 'create', '-f', '-'));
    const read = await good(kubectl('get', 'mirror', 'a', '-o', 'yaml'));
    await good(kubectl('label', 'mirror', 'a', 'tier=base'));
    const stale = await kubectl.reading(read, 'replace', '-f', '-');
    assert.match(
      stale.stderr,
      /\(Conflict\).*Operation cannot be fulfilled on mirrors\.cairn\.build "a"/,
    );
    const again = await kubectl.reading(manifest(), 'create', '-f', '-');
    assert.match(again.stderr, /\(AlreadyExists\).*mirrors\.cairn\.build "a" already exists/);
  });

  it('waits for conditions and fields', async (t) => {
    const { server, kubectl } = await world(t);
    const snapshot = await server.snapshot('a', { members: [] });
    await good(kubectl('wait', '--for=condition=Ready', 'snapshot/a', '--timeout=120s'));
    const status = { ...snapshot.status, packages: 7 };
    const waiting = kubectl(
      'wait',
      '--for=jsonpath={.status.packages}=7',
      'snap/a',
      '--timeout=120s',
    );
    await server.setStatus(snapshot, status);
    await good(waiting);
    const never = await kubectl('wait', '--for=condition=Stalled', 'snap/a', '--timeout=100ms');
    assert.match(never.stderr, /timed out waiting for the condition/);
  });

  it('deletes, and waits until finalizers are gone', async (t) => {
    const { server, kubectl } = await world(t);
    const finalizer = '{"metadata":{"finalizers":["example.com/hold"]}}';
    await good(kubectl.reading(manifest(), 'create', '-f', '-'));
    await good(kubectl('patch', 'mirror', 'a', '--type=merge', '-p', finalizer));
    const rehearsed = await good(kubectl('delete', 'mirror', 'a', '--dry-run=server'));
    assert.match(rehearsed, /deleted/);
    assert.equal((await server.store.get(key))?.metadata.deletionTimestamp, undefined);

    const deleting = kubectl('delete', 'mirror', 'a', '--timeout=120s');
    const gone = kubectl('wait', '--for=delete', 'mirror/a', '--timeout=120s');
    await good(kubectl('wait', '--for=jsonpath={.metadata.deletionTimestamp}', 'mirror/a'));
    const none = '{"metadata":{"finalizers":null}}';
    await good(kubectl('patch', 'mirror', 'a', '--type=merge', '-p', none));
    assert.match(await good(deleting), /mirror\.cairn\.build "a" deleted/);
    await good(gone);
    assert.equal(await server.store.get(key), undefined);
    await good(kubectl('delete', 'mirror', 'a', '--ignore-not-found'));
    const base = manifest().replace('name: a', 'generateName: a-');
    const [, name = ''] =
      /mirror\.cairn\.build\/(a-\S+) created/.exec(
        await good(kubectl.reading(base, 'create', '-f', '-')),
      ) ?? [];
    const owner = await server.store.get({ ...key, name });
    assert.ok(owner);
    const { apiVersion, kind, metadata } = owner;
    const ownerReferences = [{ apiVersion, kind, name, uid: metadata.uid }];
    const owned = { apiVersion, kind, metadata: { name: 'b', ownerReferences }, spec: owner.spec };
    await good(kubectl.reading(JSON.stringify(owned), 'create', '-f', '-'));
    await good(kubectl('delete', 'mirror', name, '--cascade=orphan', '--timeout=120s'));
    const left = await good(kubectl('get', 'mirrors', '-o', 'jsonpath={.items[*].metadata}'));
    assert.equal(JSON.parse(left).name, 'b');
    assert.equal(JSON.parse(left).ownerReferences, undefined);
  });

  it('watches events', async (t) => {
    const { server, kubectl } = await world(t);
    await good(kubectl.reading(manifest(), 'create', '-f', '-'));
    const record = (message: string, name = 'a') =>
      server.store.record({
        ...{ type: 'Normal', reason: 'Refreshed', message, regarding: { ...key, name } },
      });
    await record('first');
    const outputs = [
      kubectl.start('get', 'events', '-w'),
      kubectl.start('events', '--watch', '--for', 'mirror.cairn.build/a'),
      kubectl.start('get', 'events', '--watch-only', '-o', 'name'),
    ].map((child) => {
      const lines: string[] = [];
      child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(text));
      return () => lines.join('');
    });
    const [got = () => '', selected = () => '', only = () => ''] = outputs;
    await until(() => got().includes('first') && selected().includes('first'));

    // a watch that is only begun, only the next ones show
    await until(async () => {
      await record('second');
      await record('other', 'b');
      return outputs.every((output) => output() !== '') && selected().includes('second');
    });

    await until(() => got().includes('second') && got().includes('other'));
    assert.doesNotMatch(selected(), /other/);
    assert.match(only(), /^event\/[ab]\.[0-9a-f]{16}$/m);
  });

  it('describes an object with its events', async (t) => {
    const { server, kubectl } = await world(t);
    await good(kubectl.reading(manifest(), 'create', '-f', '-'));
    const event = { type: 'Warning', reason: 'ReleaseExpired', message: 'it is too old' } as const;
    await server.store.record({ ...event, regarding: key });
    await server.store.record({ ...event, regarding: { ...key, name: 'b' }, message: 'another' });
    const described = await good(kubectl('describe', 'mirror', 'a'));
    assert.match(described, /^ +Warning +ReleaseExpired +\S+ +cairn +it is too old$/m);
    assert.doesNotMatch(described, /another/);
    const events = await good(kubectl('get', 'events'));
    assert.match(events, /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE$/m);
    assert.match(events, /^\S+ +Warning +ReleaseExpired +mirror\/a +it is too old$/m);
    const selected = await good(kubectl('events', '--for', 'mirror.cairn.build/a'));
    assert.match(selected, /it is too old/);
    const namespaces = await good(kubectl('get', 'ns'));
    assert.match(namespaces, /^default +Active/m);
  });
});

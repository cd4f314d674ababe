import assert from 'node:assert/strict';
import type { Fixture } from './fixture.ts';

export const root = '/apis/cairn.build/v1alpha1';
export const mirrors = `${root}/namespaces/default/mirrors`;

export interface Answer {
  readonly status: number;

  readonly body: ReturnType<typeof JSON.parse>;
  readonly headers: Headers;
}

export interface Call {
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Record<string, string>;
}

/** Calls the API; answers are JSON, always. */
export async function call(
  server: Fixture,
  method: string,
  path: string,
  { body, type = 'application/json', headers = {} }: Call = {},
): Promise<Answer> {
  const sent = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { ...(sent !== undefined && { 'content-type': type }), ...headers },
    ...(sent !== undefined && { body: sent }),
  });
  assert.match(
    response.headers.get('content-type') ?? '',
    /^application\/json/,
    `${method} ${path}`,
  );
  return { status: response.status, body: await response.json(), headers: response.headers };
}

export function mirror(name: string, spec: object = {}, metadata: object = {}) {
  return {
    apiVersion: 'cairn.build/v1alpha1',
    kind: 'Mirror',
    metadata: { name, ...metadata },
    spec: { url: 'http://x.example', suites: ['s'], allowUnsigned: true, ...spec },
  };
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import type { Dispatcher } from 'undici';

/** What every part of a builder works with. */
export interface Context {
  readonly docker: Docker;
  /** Where Docker is, for messages. */
  readonly address: string;
  /** The id of this controller among all that use the same engine. */
  readonly owner: string;
  /** Private to this builder. */
  readonly folder: string;
  readonly dispatcher?: Dispatcher | undefined;
  readonly programs: Programs;
  /** The names of the workshops that are in use. */
  readonly workshops: Set<string>;
  /** The images that are being made, by their tags. */
  readonly making: Map<string, Promise<string>>;
}

/** The text of the programs that run inside of containers. */
export interface Programs {
  readonly supervisor: string;
  readonly forwarder: string;
}

export function readPrograms(): Programs {
  const text = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8');
  return { supervisor: text('supervisor.pl'), forwarder: text('forwarder.pl') };
}

/** Where containers find their proxy, on their own loopback interface. */
export const proxyPort = 3142;

/** What programs in a container have to know to find it. */
export const proxyEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].map((name) => [
    name,
    `http://127.0.0.1:${proxyPort}`,
  ]),
);

/** For tests that listen on the loopback interface: those connections don't leave the container. */
export const noProxy: Readonly<Record<string, string>> = {
  no_proxy: 'localhost,127.0.0.1,::1',
  NO_PROXY: 'localhost,127.0.0.1,::1',
};

/** As the engine wants them. */
export function variables(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment).map(([name, value]) => `${name}=${value}`);
}

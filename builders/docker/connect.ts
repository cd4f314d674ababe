import { Agent } from 'node:https';
import Docker from 'dockerode';
import { messageOf } from './engine.ts';
import { EngineError } from './engine-error.ts';

/** Where an engine is. */
export interface EngineAddress {
  /** `/run/docker.sock`, `unix:///run/docker.sock` or `tcp://host:2376`: a path, or what DOCKER_HOST has. */
  readonly address: string;
  /** With it, TCP is TLS; called for each connection, so that renewed certificates count. May throw. */
  readonly tls?: (() => TlsFiles) | undefined;
}

/** PEM: who may have signed the engine's certificate, and what we are known by. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Talks to the engine at an address, whatever the environment says of others. Connects to nothing yet. */
export function connect({ address, tls }: EngineAddress): Docker {
  // docker-modem fills in from DOCKER_HOST what is left out
  const none = { host: undefined, port: undefined, ca: undefined, cert: undefined, key: undefined };
  const path = address.startsWith('unix://') ? address.slice('unix://'.length) : address;
  if (path.startsWith('/')) return new Docker(optionsOf({ ...none, socketPath: path }));
  const url = URL.parse(address);
  if (url?.protocol !== 'tcp:' || url.hostname === '' || url.port === '') {
    throw new EngineError(
      `${JSON.stringify(address)} is no address of Docker: give the path of its socket, unix:///path or tcp://host:port`,
    );
  }
  return new Docker(
    optionsOf({
      ...none,
      socketPath: undefined,
      host: url.hostname,
      port: url.port,
      ...(tls ? { agent: new TlsAgent(tls), protocol: 'https' } : { protocol: 'http' }),
    }),
  );
}

/** Connections with the certificates of the moment. */
class TlsAgent extends Agent {
  readonly #files: () => TlsFiles;

  constructor(files: () => TlsFiles) {
    super({ keepAlive: true, minVersion: 'TLSv1.2' });
    this.#files = files;
  }

  override createConnection(...[options, onConnection]: Parameters<Agent['createConnection']>) {
    return super.createConnection({ ...options, ...this.#read() }, onConnection);
  }

  #read(): TlsFiles {
    try {
      return this.#files();
    } catch (error) {
      throw new EngineError(messageOf(error), { cause: error });
    }
  }
}

/** The types of dockerode leave no room for the undefined that keeps the environment out. */
function optionsOf(options: Record<string, unknown>): Docker.DockerOptions {
  return { protocol: 'http', pathPrefix: '/', timeout: undefined, ...options } as object;
}

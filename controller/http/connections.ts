import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Begins and ends accepting connections. */
export class Connections {
  readonly #http: Server;

  constructor(http: Server) {
    this.#http = http;
  }

  /**
   * Without a host, on all addresses: those of IPv6 as well, unless this machine has none. Rejects as
   * `server.listen` fails: EADDRINUSE, EACCES.
   */
  async listen(host: string, port: number): Promise<AddressInfo> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#http.once('error', reject).listen({ ...(host === '' ? {} : { host }), port }, resolve);
    await promise;
    this.#http.off('error', reject);
    return this.#http.address() as AddressInfo; // of a server that listens on TCP
  }

  /** Accepts nothing more, ends connections as they become idle, and cuts what is left at last. */
  async close(graceMs: number): Promise<void> {
    if (!this.#http.listening) return;
    const { promise: closed, resolve } = Promise.withResolvers<'closed'>();
    this.#http.close(() => resolve('closed'));
    const late = delay(graceMs, 'late' as const, { ref: false });
    for (;;) {
      this.#http.closeIdleConnections();
      const state = await Promise.race([closed, late, delay(20, 'waiting' as const)]);
      if (state === 'closed') return;
      if (state === 'late') break;
    }
    this.#http.closeAllConnections();
    await closed;
  }
}

import type { HostSlots } from './slots.ts';

export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly bearerToken?: string;
  readonly proxyUsername?: string;
  readonly proxyPassword?: string;
}

export interface UpstreamOptions {
  /** The archive's root; relative paths are looked up below it. */
  readonly url: string;
  readonly connections: number;
  readonly bytesPerSecond?: number | undefined;
  /** A connection that sends nothing for so long is given up. */
  readonly stallMs: number;
  readonly retries: number;
  readonly proxy?: string | undefined;
  readonly credentials?: Credentials | undefined;
  readonly slots: HostSlots;
}

import { durationMs } from '../../crds/duration.ts';
import type { MirrorSpec } from '../../crds/mirror.ts';
import type { HostSlots } from '../fetch/slots.ts';
import { Upstream, type Credentials } from '../fetch/upstream.ts';

/** The upstream of a Mirror, as its spec says to treat it. */
export function upstreamOf(
  { url, limits, proxy }: MirrorSpec,
  credentials: Credentials | undefined,
  slots: HostSlots,
): Upstream {
  return new Upstream({
    url,
    connections: limits.connections,
    bytesPerSecond: limits.bytesPerSecond,
    stallMs: durationMs(limits.stallTimeout),
    retries: limits.retries,
    proxy,
    credentials,
    slots,
  });
}

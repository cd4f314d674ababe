export interface ClientEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly lastAt: string;
}

/** An event of the core group, as far as it is shown. Newer ones leave the older fields empty. */
export interface CoreEvent {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

export function clientEvent({
  type = '',
  reason = '',
  message = '',
  ...more
}: CoreEvent): ClientEvent {
  const { count, lastTimestamp, eventTime, series } = more;
  const lastAt = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? '';
  return { type, reason, message, count: series?.count ?? count ?? 1, lastAt };
}

export function byTime(one: ClientEvent, other: ClientEvent): number {
  return one.lastAt < other.lastAt ? -1 : Number(one.lastAt > other.lastAt);
}

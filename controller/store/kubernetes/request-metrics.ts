import { Counter, Histogram, type Registry } from 'prom-client';

/** Told of what an API server is asked. `code` is an HTTP status, or `<error>` where there is none. */
export interface RequestObserver {
  /** A call has ended, after `seconds` in all; a watch is told of when it begins, without. */
  asked(method: string, code: string, seconds?: number): void;
  /** An attempt has failed, and another one follows. */
  retried(method: string, code: string): void;
}

/** What counts as no answer, as in client-go. */
export const noAnswer = '<error>';

/** As `k8s.io/component-base` has them. */
const buckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** Counts under the names and with the labels of client-go. `host` is that of the API server. */
export function requestMetrics(registry: Registry, host: string): RequestObserver {
  const registers = [registry];
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server, by the status of the last attempt.',
    labelNames: ['code', 'method', 'host'],
    registers,
  });
  const duration = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'How long requests took, all attempts together; without watches.',
    labelNames: ['verb', 'host'],
    buckets,
    registers,
  });
  const retries = new Counter({
    name: 'rest_client_request_retries_total',
    help: 'Attempts that failed and were followed by another one.',
    labelNames: ['code', 'verb', 'host'],
    registers,
  });
  return {
    asked(method, code, seconds) {
      requests.inc({ code, method, host });
      if (seconds !== undefined) duration.observe({ verb: method, host }, seconds);
    },
    retried: (method, code) => retries.inc({ code, verb: method, host }),
  };
}

import { Counter, type Registry } from 'prom-client';

interface Total {
  requests: number;
  bytes: number;
}

/** Counts answers. Plain numbers, turned into metrics when somebody asks. */
export class Traffic {
  readonly #totals = new Map<string, Map<number, Total>>();

  constructor(registry: Registry) {
    const labelNames = ['class', 'code'];
    const totals = this.#totals;
    new Counter({
      name: 'cairn_http_requests_total',
      help: 'Requests answered, by what was asked for and status code.',
      labelNames,
      registers: [registry],
      collect() {
        each(totals, this, ({ requests }) => requests);
      },
    });
    new Counter({
      name: 'cairn_http_response_bytes_total',
      help: 'Bytes of bodies sent.',
      labelNames,
      registers: [registry],
      collect() {
        each(totals, this, ({ bytes }) => bytes);
      },
    });
  }

  /** `what` is one of a few words: it becomes a label. */
  count(what: string, code: number, bytes: number): void {
    const codes = this.#totals.get(what) ?? new Map<number, Total>();
    this.#totals.set(what, codes);
    const total = codes.get(code) ?? { requests: 0, bytes: 0 };
    codes.set(code, total);
    total.requests += 1;
    total.bytes += bytes;
  }
}

function each(
  totals: ReadonlyMap<string, ReadonlyMap<number, Total>>,
  counter: Counter,
  value: (total: Total) => number,
): void {
  counter.reset();
  for (const [what, codes] of totals) {
    for (const [code, total] of codes) {
      counter.inc({ class: what, code: String(code) }, value(total));
    }
  }
}

import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { Agent, request, type Dispatcher } from 'undici';
import type { Build } from '../../crds/build.ts';
import { buildPath } from '../../crds/build.ts';
import type { Leader } from '../leader/leadership.ts';
import type { Log } from '../log.ts';
import { ApiFailure } from './api/status.ts';
import { voucherFor, voucherHeader } from './vouchers.ts';

/** Replicas of which each has a data directory of its own: the one that leads has the logs of Builds that run. */
export interface Replicas {
  leader(): Leader;
  /** What they know one another by. Throws when those who keep it are away. */
  secret(): Promise<string>;
}

/** How soon clients should come back. Seconds. */
const againAfter = 2;
const connectMs = 3000;
const headersMs = 10_000;
const silenceMs = 30_000;
/** More than the longest log. */
const mostBytes = 256 * 2 ** 20;
const mostAtOnce = 64;
export const logType = 'text/plain; charset=utf-8';
const handedOn = ['content-length', 'content-range', 'accept-ranges', 'x-build-finished'];

/** Gives the logs of Builds that run from the replica that leads, to those whose rights have been looked at. */
export class LeaderLogs {
  readonly #replicas: Replicas;
  readonly #log: Log;
  /** No connection is kept: the next leader is somebody else. */
  readonly #agent = new Agent({
    ...{ pipelining: 0, connect: { timeout: connectMs }, maxResponseSize: mostBytes },
    ...{ headersTimeout: headersMs, bodyTimeout: silenceMs },
  });
  #running = 0;
  /** The address that was not reached last. */
  #told: string | undefined;

  constructor(replicas: Replicas, log: Log) {
    this.#replicas = replicas;
    this.#log = log;
  }

  /** Whether this replica has those logs itself. */
  isHere(): boolean {
    return this.#replicas.leader().is === 'self';
  }

  /**
   * Answers with what the leader answers. Throws 503 when there is none, when it can't be reached, and when the one
   * that asks is a replica: it takes this one for the leader, and asks the right one next time.
   */
  async send(req: Request, res: Response, build: Build): Promise<void> {
    const leader = this.#replicas.leader();
    if (req.headers[voucherHeader] !== undefined) throw later(res, 'this replica does not lead');
    if (leader.is !== 'other') throw later(res, 'no replica leads, which would have this log');
    if (leader.address === undefined) {
      throw later(
        res,
        'the replica that leads has not told its address: see cairn run --advertise',
      );
    }
    if (this.#running >= mostAtOnce) throw later(res, 'too many ask for logs at the same time');
    this.#running += 1;
    try {
      await this.#relay(req, res, build, leader.address);
    } finally {
      this.#running -= 1;
    }
  }

  async #relay(req: Request, res: Response, build: Build, address: string): Promise<void> {
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    const { range } = req.headers;
    const voucher = voucherFor(build, await this.#replicas.secret());
    const answer = await request(`http://${address}/${buildPath(build)}/log`, {
      ...{ method: req.method === 'HEAD' ? 'HEAD' : 'GET', dispatcher: this.#agent },
      headers: { [voucherHeader]: voucher, ...(range !== undefined && { range }) },
      signal: gone.signal,
    }).catch((error: unknown) => {
      throw this.#unreached(res, address, String(error));
    });
    if (![200, 206, 416].includes(answer.statusCode)) {
      await answer.body.dump({ limit: 1 << 16 }).catch(() => {});
      throw this.#unreached(res, address, `it answers ${answer.statusCode}`);
    }
    this.#told = undefined;
    await handOn(answer, res);
  }

  /** The address is for operators: whoever reads a public log need not know it. */
  #unreached(res: Response, address: string, because: string): ApiFailure {
    if (this.#told !== address && !res.closed) {
      this.#log.warn('the replica that leads gives no logs', { address, because });
      this.#told = address;
    }
    return later(res, "the replica that leads, and has this log, can't be reached");
  }
}

async function handOn(answer: Dispatcher.ResponseData, res: Response): Promise<void> {
  res.status(answer.statusCode).type(logType);
  for (const name of handedOn) {
    const value = answer.headers[name];
    if (typeof value === 'string') res.set(name, value);
  }
  // What breaks off here breaks off there: the client asks for the rest.
  await pipeline(answer.body, res).catch(() => res.destroy());
}

function later(res: Response, why: string): ApiFailure {
  res.set('Retry-After', String(againAfter));
  return new ApiFailure(503, why);
}

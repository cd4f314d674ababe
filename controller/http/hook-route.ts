import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import express, { type Router } from 'express';
import { Counter, type Registry } from 'prom-client';
import { SourceKind, type Source } from '../../crds/source.ts';
import type { Secrets } from '../../reconcilers/secrets.ts';
import { isAbout } from '../../reconcilers/source/choose.ts';
import { webhookTokens } from '../../reconcilers/source/webhook.ts';
import { ApiFailure } from './api/status.ts';
import { eventOf } from './hook-events.ts';
import { claimOf, type Claim } from './hook-signatures.ts';
import { Wakes, type WakeStore } from './hook-wakes.ts';

export interface HookOptions {
  readonly store: WakeStore;
  readonly secrets: Secrets;
  readonly now: () => Date;
  readonly metrics: Registry;
}

/** What GitHub sends at most; others send less. */
const mostBytes = 25 * 2 ** 20;
/** Of a longer one, nobody reads which ref it is about. */
const mostRead = 256 * 2 ** 10;
/** The same for what is not there, has no webhook, or is not signed by who may. */
const refused = 'there is no such webhook, or the call is not signed with its token';

/**
 * `POST /hooks/<namespace>/<source>`: a git host tells of a push, and Cairn looks at that repository now. The
 * signature is checked over the body as it comes; nothing in it is believed but that there may be news.
 */
export function hookRoute({ store, secrets, now, metrics }: HookOptions): Router {
  const calls = new Counter({
    name: 'cairn_webhook_requests_total',
    help: 'Calls of git hosts by result: woken, ignored, ping or refused.',
    labelNames: ['result'],
    registers: [metrics],
  });
  const wakes = new Wakes(store, now);
  const router = express.Router();

  router.post('/hooks/:namespace/:name', async (req, res) => {
    const { namespace, name } = req.params;
    const key = { kind: SourceKind.kind, namespace, name };
    const source = (await store.get(key)) as Source | undefined;
    const claim = claimOf(req.headers, await tokensOf(source, secrets));
    const body = claim && (await readBody(req, claim));
    if (!source || !body?.isSigned) {
      calls.inc({ result: 'refused' });
      throw new ApiFailure(403, refused);
    }
    const tell = (status: number, result: string, text: string) => {
      calls.inc({ result });
      res.status(status).type('text/plain').send(`${text}\n`);
    };
    const event = eventOf(req.headers, body.content);
    if (event.what === 'ping') return tell(200, 'ping', 'pong');
    if (event.what === 'other') return tell(202, 'ignored', 'only pushes matter here');
    if (event.ref !== undefined && !isAbout(source.spec, event.ref)) {
      return tell(202, 'ignored', 'the Source follows another ref');
    }
    await wakes.wake(key);
    return tell(202, 'woken', 'Cairn looks at the repository now');
  });
  router.all('/hooks/:namespace/:name', (_req, res) => {
    res.set('Allow', 'POST');
    throw new ApiFailure(405, 'git hosts tell of pushes here, with POST');
  });
  return router;
}

/** For what has none, one that nobody knows: then a call takes as long, and is refused. */
async function tokensOf(source: Source | undefined, secrets: Secrets): Promise<readonly string[]> {
  // The Source itself says what is wrong with its secret.
  const tokens = source ? await webhookTokens(source, secrets).catch(() => []) : [];
  return tokens.length > 0 ? tokens : [randomBytes(32).toString('hex')];
}

interface Body {
  readonly isSigned: boolean;
  /** Undefined when it is long. */
  readonly content: Buffer | undefined;
}

async function readBody(req: IncomingMessage, claim: Claim): Promise<Body> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > mostBytes) throw new ApiFailure(413, `a call of more than ${mostBytes} bytes`);
      claim.update(chunk);
      if (size <= mostRead) chunks.push(chunk);
    }
  } catch (error) {
    if (req.readableAborted) throw new ApiFailure(400, 'the call broke off');
    throw error;
  }
  const content = size <= mostRead ? Buffer.concat(chunks) : undefined;
  return { isSigned: claim.holds(), content };
}

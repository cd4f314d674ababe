/** A real web server for a folder, which can be told to misbehave. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer, bytesSent } from './answer.ts';
import { FaultList, matches, type Fault, type PathPattern } from './faults.ts';

/** One request, noted when its answer ended or broke. */
export interface RequestRecord {
  readonly method: string;
  /** The decoded path. */
  readonly path: string;
  /** As it came, with the query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** 0 when no answer was begun. */
  readonly status: number;
  /** Of the body, as far as they were handed to the socket. */
  readonly bytes: number;
}

export interface Upstream {
  /** Without a slash at the end. */
  readonly url: string;
  /** In the order in which the answers ended. */
  readonly requests: readonly RequestRecord[];
  /** Requests received whose answers have not ended yet. */
  readonly pending: number;
  requestsFor(pattern: PathPattern): RequestRecord[];
  forgetRequests(): void;
  /** Returns a function that takes the fault away. The newest fault for a path wins. */
  fault(pattern: PathPattern, fault: Fault): () => void;
  clearFaults(): void;
  /** Serve another folder from now on. */
  serve(root: string): void;
  /** Closes the server and every open connection. */
  close(): Promise<void>;
}

export async function startUpstream(root: string): Promise<Upstream> {
  const faults = new FaultList();
  const requests: RequestRecord[] = [];
  let folder = root;
  let pending = 0;
  const server = createServer((request, response) => {
    pending += 1;
    const path = decodedPath(request);
    response.on('close', () => {
      pending -= 1;
      requests.push(recordOf(request, response, path));
    });
    answer(folder, path, request, response, faults.take(path)).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get pending() {
      return pending;
    },
    requestsFor: (pattern) => requests.filter(({ path }) => matches(pattern, path)),
    forgetRequests: () => void requests.splice(0),
    fault: (pattern, fault) => faults.add(pattern, fault),
    clearFaults: () => faults.clear(),
    serve: (other) => void (folder = other),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What can't be decoded is served as it came: there is no such file. */
function decodedPath({ url = '/' }: IncomingMessage): string {
  const path = url.split('?', 1)[0] ?? '/';
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function recordOf(request: IncomingMessage, response: ServerResponse, path: string): RequestRecord {
  const { method = 'GET', url = '/', headers } = request;
  const status = response.headersSent ? response.statusCode : 0;
  return { method, path, url, headers, status, bytes: bytesSent(response) };
}

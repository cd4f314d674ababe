import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { mustRun } from '../../world/process.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { writeFiles } from './folder.ts';

const env = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};

/** A bare repository, and a working copy to push from. */
export class GitRepository {
  readonly folder: string;
  readonly bare: string;
  readonly work: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.bare = join(folder, 'config.git');
    this.work = join(folder, 'work');
  }

  /** One commit on the branch `main`. */
  static async create(
    scope: Scope,
    files: Readonly<Record<string, string>>,
  ): Promise<GitRepository> {
    const repository = new GitRepository(tempDir(scope));
    const { folder, bare, work } = repository;
    await mustRun('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare], { env });
    await mustRun('git', ['init', '--quiet', '--initial-branch=main', work], { env, cwd: folder });
    await repository.commit(files);
    return repository;
  }

  /** Replaces all files, commits and pushes. Gives the commit. */
  async commit(files: Readonly<Record<string, string>>, ...options: string[]): Promise<string> {
    await this.git('rm', '-rfq', '--ignore-unmatch', '.');
    await writeFiles(this.work, files);
    return this.push('main', ...options);
  }

  /** Commits the working copy as it is, and pushes it to a branch. Gives the commit. */
  async push(branch: string, ...options: string[]): Promise<string> {
    await this.git('add', '--all', '--force');
    await this.git('commit', '--quiet', '--allow-empty', '-m', 'x', ...options);
    await this.git('push', '--quiet', '--force', this.bare, `HEAD:refs/heads/${branch}`);
    return (await this.git('rev-parse', 'HEAD')).trim();
  }

  git(...args: string[]): Promise<string> {
    return mustRun('git', args, { env, cwd: this.work });
  }
}

/** Serves repositories below a folder over HTTP; asks for credentials when told which. */
export async function serveGit(
  scope: Scope,
  folder: string,
  {
    authorization,
    onRequest,
    delay,
  }: {
    authorization?: string;
    onRequest?: (request: IncomingMessage) => void;
    /** Answers are held until this resolves; they are made before. */
    delay?: () => Promise<void>;
  } = {},
): Promise<{ readonly url: string; readonly seen: readonly (string | undefined)[] }> {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    onRequest?.(request);
    if (authorization === undefined || request.headers.authorization === authorization) {
      runBackend(folder, request, response, delay?.());
    } else {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end('who are you?');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return { url: `http://127.0.0.1:${port}`, seen };
}

/** One request by CGI (RFC 3875), as of git-http-backend(1). */
function runBackend(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
  delay: Promise<void> | undefined,
): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...process.env,
      ...env,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
  });
  const chunks: Buffer[] = [];
  request.pipe(backend.stdin);
  backend.stdin.on('error', () => {});
  backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  backend.on('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    const headers = output.subarray(0, end).toString('latin1').split('\r\n');
    let status = 200;
    for (const header of headers) {
      const [name = '', value = ''] = header.split(/:\s*/, 2);
      if (name === 'Status') status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    const answer = () => response.writeHead(status).end(output.subarray(end + 4));
    if (delay) void delay.then(answer);
    else answer();
  });
}

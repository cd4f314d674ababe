import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './port.ts';

export interface Nginx {
  /** Without a slash at the end. */
  readonly url: string;
  /** Of its master process; its one worker is the only child. */
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Debian's nginx, with one worker, serving a folder: on `listen`, such as `127.0.0.2:80`, else on a
 * free port of the loopback interface.
 */
export async function startNginx(root: string, listen?: string): Promise<Nginx> {
  for (let attempt = 1; ; attempt += 1) {
    const started = await tryStart(root, listen ?? `127.0.0.1:${await freePort()}`);
    if (typeof started !== 'string') return started;
    // somebody else may take a free port before nginx does
    if (listen !== undefined || attempt === 5) throw new Error(`nginx does not start:\n${started}`);
  }
}

async function tryStart(root: string, listen: string): Promise<Nginx | string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'cairn-nginx-'));
  mkdirSync(path.join(folder, 'temp'));
  const config = path.join(folder, 'nginx.conf');
  writeFileSync(config, configText(root, folder, listen));
  const child = spawn('/usr/sbin/nginx', ['-e', 'stderr', '-p', folder, '-c', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const orphan = () => child.kill('SIGKILL');
  process.once('exit', orphan);
  const closed = once(child, 'close').finally(() => process.off('exit', orphan));
  const url = `http://${listen.replace(/:80$/, '')}`;
  if (!(await answers(url, child))) {
    await stop(child, closed, folder);
    return stderr;
  }
  return { url, pid: child.pid ?? 0, stop: () => stop(child, closed, folder) };
}

async function stop(child: ChildProcess, closed: Promise<unknown>, folder: string): Promise<void> {
  child.kill('SIGTERM');
  await closed;
  rmSync(folder, { recursive: true, force: true });
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
  for (let waited = 0; waited < 10_000 && child.exitCode === null; waited += 20) {
    const response = await fetch(url, { method: 'HEAD' }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.headers.get('server')?.startsWith('nginx')) return child.exitCode === null;
    await sleep(20);
  }
  return false;
}

/** The user directive is for tests that run as root: their folders are open to root alone. */
function configText(root: string, folder: string, listen: string): string {
  const isRoot = process.getuid?.() === 0;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `${isRoot ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  default_type application/octet-stream;
  ${temporary.map((name) => `${name}_temp_path ${folder}/temp/${name};`).join('\n  ')}
  server {
    listen ${listen};
    root ${root};
    autoindex on;
  }
}
`;
}

import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { startDaemon, type Daemon } from './daemon.ts';
import { freePort } from './port.ts';

const startTimeoutMs = 120_000;
const attempts = 5;

/** An etcd and a kube-apiserver, with all that they keep in one folder. */
export class ControlPlane {
  /** Speaks HTTPS to the server and keeps connections; it trusts `ca` alone. */
  agent = new Agent();
  url = '';
  ca = '';
  readonly #programs: string;
  readonly #folder: string;
  #etcd: Daemon | undefined;
  #server: Daemon | undefined;
  #ports: Ports = { etcd: 0, peer: 0, server: 0 };

  /** The folder has `tokens.csv` in it: --token-auth-file. */
  constructor(programs: string, folder: string) {
    this.#programs = programs;
    this.#folder = folder;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'sec1', format: 'pem' });
    writeFileSync(this.#in('service-accounts.pem'), pem, { mode: 0o600 });
  }

  /** Of those that run: etcd, then the server. */
  get pids(): readonly number[] {
    return [this.#etcd, this.#server].flatMap((daemon) => (daemon ? [daemon.pid] : []));
  }

  /** Starts both on free ports, and waits until the server is ready. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.#ports = { etcd: await freePort(), peer: await freePort(), server: await freePort() };
      this.url = `https://127.0.0.1:${this.#ports.server}`;
      const failure = await this.#startBoth();
      if (failure === undefined) return;
      await this.stop();
      // somebody else may take a free port before they do
      if (attempt === attempts || !/address already in use/.test(failure)) throw new Error(failure);
    }
  }

  /** Kills the server, and waits for its end. */
  async kill(): Promise<void> {
    await this.#server?.end();
    this.#server = undefined;
  }

  /** Starts the server again, on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    this.#startServer();
    const failure = await this.#untilReady();
    if (failure !== undefined) throw new Error(failure);
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.#etcd?.end();
    this.#etcd = undefined;
    await this.agent.destroy();
  }

  /** Both at once: the server makes its certificate while etcd begins. */
  async #startBoth(): Promise<string | undefined> {
    const program = path.join(this.#programs, 'etcd');
    this.#etcd = startDaemon(program, etcdFlags(this.#ports, this.#in('etcd')), this.#folder);
    this.#startServer();
    return this.#untilReady();
  }

  #startServer(): void {
    const program = path.join(this.#programs, 'kube-apiserver');
    this.#server = startDaemon(program, serverFlags(this.#ports, this.#folder), this.#folder);
  }

  /** Why the server does not become ready, if so. */
  async #untilReady(): Promise<string | undefined> {
    const deadline = Date.now() + startTimeoutMs;
    while (Date.now() < deadline && !this.#etcd?.hasEnded && !this.#server?.hasEnded) {
      if (await this.#isReady()) return undefined;
      await sleep(50);
    }
    return `kube-apiserver did not become ready:\n${this.#etcd?.output}\n${this.#server?.output}`;
  }

  /** Ready to everybody; the namespaces of the system are made a moment later. */
  async #isReady(): Promise<boolean> {
    if (!this.#readCertificates()) return false;
    const [readyz, namespace] = await Promise.all([
      this.#statusOf('/readyz'),
      this.#statusOf('/api/v1/namespaces/default'),
    ]);
    return readyz === 200 && namespace === 200;
  }

  /** The server writes its own certificate and the one that has signed it into one file. */
  #readCertificates(): boolean {
    const file = this.#in('certificates/apiserver.crt');
    if (!existsSync(file) || !existsSync(this.#in('certificates/apiserver.key'))) return false;
    const ca = readFileSync(file, 'utf8');
    if (ca !== this.ca) this.agent = new Agent({ connect: { ca } });
    this.ca = ca;
    return true;
  }

  async #statusOf(where: string): Promise<number> {
    const [token = ''] = readFileSync(this.#in('tokens.csv'), 'utf8').split(',');
    const headers = { authorization: `Bearer ${token}` };
    const options = { path: where, method: 'GET', origin: this.url, headers } as const;
    const answer = await this.agent.request(options).catch(() => undefined);
    await answer?.body.dump();
    return answer?.statusCode ?? 0;
  }

  #in(name: string): string {
    return path.join(this.#folder, name);
  }
}

interface Ports {
  readonly etcd: number;
  readonly peer: number;
  readonly server: number;
}

function etcdFlags({ etcd, peer }: Ports, data: string): readonly string[] {
  return [
    `--data-dir=${data}`,
    `--listen-client-urls=http://127.0.0.1:${etcd}`,
    `--advertise-client-urls=http://127.0.0.1:${etcd}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-cluster=default=http://127.0.0.1:${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

/** Without a controller manager nobody makes service accounts for Pods, so nobody asks for them. */
function serverFlags({ etcd, server }: Ports, folder: string): readonly string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${server}`,
    `--cert-dir=${folder}/certificates`,
    `--token-auth-file=${folder}/tokens.csv`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${folder}/service-accounts.pem`,
    `--service-account-signing-key-file=${folder}/service-accounts.pem`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--endpoint-reconciler-type=none',
    '--disable-admission-plugins=ServiceAccount',
  ];
}

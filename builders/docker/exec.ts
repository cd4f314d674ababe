import type { Duplex, Writable } from 'node:stream';
import type Docker from 'dockerode';
import { proxyPort, variables, type Context } from './context.ts';
import { carryConnections } from './connections.ts';
import { framesOf } from './frames.ts';
import type { BuildProxy } from './proxy.ts';
import { roomIn } from './tar.ts';

export interface ExecOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Gets stdout, instead of the result. */
  readonly stdout?: Writable;
  /** Gets what people may want to read, as it comes. */
  readonly log?: ((bytes: Buffer) => void) | undefined;
}

export interface Executed {
  readonly code: number;
  /** The end of what it wrote: stderr, and stdout unless that went elsewhere. */
  readonly output: string;
}

const mostOutput = 256 << 10;

/** Runs a command in a running container, as root there. Ends early only with the container. */
export async function execute(
  container: Docker.Container,
  command: readonly string[],
  { environment = {}, stdout, log }: ExecOptions = {},
): Promise<Executed> {
  const exec = await container.exec({
    Cmd: [...command],
    Env: variables(environment),
    User: '0:0',
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: false });
  let output = Buffer.alloc(0);
  for await (const { channel, bytes } of framesOf(stream)) {
    if (channel === 'stdout' && stdout) {
      if (!stdout.destroyed && !stdout.write(bytes)) await roomIn(stdout);
      if (stdout.destroyed) throw new Error('nobody reads what the command writes');
      continue;
    }
    log?.(bytes);
    output = Buffer.concat([output, bytes]);
    if (output.length > 2 * mostOutput) output = Buffer.from(output.subarray(-mostOutput));
  }
  const { ExitCode } = await exec.inspect();
  return { code: ExitCode ?? -1, output: output.subarray(-mostOutput).toString() };
}

const nobody = '65534:65534';

/** Opens the way out of a container, into a proxy, as soon as the container runs; it is cut when the
 * proxy is closed. Resolves when it is open. */
export async function openWayOut(
  { programs }: Context,
  container: Docker.Container,
  proxy: BuildProxy,
): Promise<void> {
  const exec = await container.exec({
    Cmd: ['perl', '-e', programs.forwarder, String(proxyPort)],
    User: nobody, // not the user of the build, who could meddle with it
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const link: Duplex = await exec.start({ hijack: true, stdin: true });
  const cut = () => link.destroy();
  if (proxy.closed.aborted) cut();
  proxy.closed.addEventListener('abort', cut, { once: true });
  await new Promise<void>((resolve, reject) => {
    carryConnections(link, (connection) => proxy.accept(connection), resolve).then(
      () => reject(new Error('the way out of the container has closed')),
      reject,
    );
  });
}

import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { Context } from './context.ts';
import type { ContainerOptions } from './container.ts';
import { execute, openWayOut, type ExecOptions, type Executed } from './exec.ts';
import { labels } from './labels.ts';
import { createProxy, type ProxyOptions } from './proxy.ts';
import { watchDisk } from './disk.ts';

/** A container in which an image is made: root there, but with no more rights than packages need to be installed. */
export interface Workshop {
  readonly container: Docker.Container;
  run(command: readonly string[], options?: ExecOptions): Promise<Executed>;
  /** Unpacks a tar stream into a folder. */
  put(folder: string, tar: Readable): Promise<void>;
}

export interface WorkshopLimits {
  readonly seconds: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly processes: number;
}

export const workshopLimits: WorkshopLimits = {
  seconds: 3600,
  memoryBytes: 4 * 2 ** 30,
  diskBytes: 20 * 2 ** 30,
  processes: 4096,
};

export interface WorkshopOptions extends ProxyOptions {
  readonly image: string;
  readonly signal?: AbortSignal | undefined;
}

/** What maintainer scripts do: give files to users, become them, change the root. No devices, no mounts, no network. */
const capabilities = [
  ...[
    'CHOWN',
    'DAC_OVERRIDE',
    'FOWNER',
    'FSETID',
    'KILL',
    'SETGID',
    'SETUID',
    'SETFCAP',
    'SYS_CHROOT',
  ],
];

/** The time that it was given is over, or its disk is full. */
export class WorkshopOver extends Error {
  override readonly name = 'WorkshopOver';
}

/**
 * Starts a container of an image, has it used, and removes it, whatever happens. Its only way out is a proxy to the archives. One
 * that outlives this process ends by itself when its time is over.
 */
export async function inWorkshop<T>(
  context: Context,
  options: WorkshopOptions,
  use: (workshop: Workshop) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  const name = `cairn-${context.owner}-workshop-${randomBytes(6).toString('hex')}`;
  context.workshops.add(name); // before it exists, so that nobody sweeps it
  try {
    const container = await create(context, name, options.image);
    return await usePrepared(context, options, container, use);
  } finally {
    context.workshops.delete(name);
  }
}

async function usePrepared<T>(
  context: Context,
  options: WorkshopOptions,
  container: Docker.Container,
  use: (workshop: Workshop) => Promise<T>,
): Promise<T> {
  const proxy = createProxy(options);
  const over = new AbortController();
  const stop = AbortSignal.any([over.signal, ...(options.signal ? [options.signal] : [])]);
  const remove = () => container.remove({ force: true, v: true }).catch(() => {});
  stop.addEventListener('abort', () => void remove(), { once: true });
  const timer = setTimeout(
    () => over.abort(new WorkshopOver(`not done after ${workshopLimits.seconds} seconds`)),
    workshopLimits.seconds * 1000,
  );
  const limit = { bytes: workshopLimits.diskBytes, mayHold: false };
  const disk = watchDisk(container, limit, (message) => over.abort(new WorkshopOver(message)));
  try {
    await container.start();
    await openWayOut(context, container, proxy);
    return await use({
      container,
      run: (command, execOptions) => execute(container, command, execOptions),
      put: async (folder, tar) => void (await container.putArchive(tar, { path: folder })),
    });
  } catch (error) {
    stop.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    disk.stop();
    proxy.close();
    await remove();
  }
}

async function create(
  { docker, owner }: Context,
  name: string,
  image: string,
): Promise<Docker.Container> {
  const wanted: ContainerOptions = {
    name,
    Image: image,
    Entrypoint: ['sleep', String(workshopLimits.seconds)],
    Cmd: [],
    User: '0:0',
    WorkingDir: '/',
    Hostname: 'build',
    Env: [],
    Labels: { [labels.owner]: owner, [labels.role]: 'workshop' },
    HostConfig: {
      NetworkMode: 'none',
      CapDrop: ['ALL'],
      CapAdd: capabilities,
      SecurityOpt: ['no-new-privileges'],
      Memory: workshopLimits.memoryBytes,
      MemorySwap: workshopLimits.memoryBytes,
      PidsLimit: workshopLimits.processes,
      LogConfig: { Type: 'none', Config: {} },
      CgroupnsMode: 'private',
    },
  };
  return await docker.createContainer(wanted);
}

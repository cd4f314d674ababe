import type Docker from 'dockerode';
import { digestOf } from './archives.ts';
import { builderGroup, builderId, buildFolder } from './build-user.ts';
import { noProxy, proxyEnvironment, proxyPort, variables, type Context } from './context.ts';
import { labels } from './labels.ts';
import { noteDigest } from './note.ts';
import type { RunRequest } from './request.ts';

/** The types of dockerode are older than the field. */
export interface ContainerOptions extends Docker.ContainerCreateOptions {
  readonly HostConfig: Docker.HostConfig & { readonly CgroupnsMode: 'private' };
}

/** The name of the container of a run: an id can't have two. */
export function runName({ owner }: Context, id: string): string {
  return `cairn-${owner}-run-${id}`;
}

/** Changes whenever the request is another one. Secrets, such as headers of archives, are not in it. */
export function requestDigest({
  image,
  command,
  sourceDateEpoch,
  environment,
  network,
  limits,
}: RunRequest): string {
  return digestOf([
    image,
    command,
    sourceDateEpoch,
    Object.entries(environment ?? {}),
    network,
    limits,
  ]);
}

/**
 * What every engine can give: it hands on no more than it has itself. With the millions that some have, fakeroot would take its
 * time to close them all.
 */
const openFiles = { Name: 'nofile', Soft: 1024, Hard: 4096 };
const sharedMemoryBytes = 256 * 2 ** 20; // of /dev/shm; counts as memory of the build

/**
 * What the engine is asked for. The build gets no rights at all, not even root's name: what it may write is its own, everything
 * of it is in the container's own layer, and nothing of the machine is mounted. The seccomp profile is the engine's default.
 */
export function runContainer(
  context: Context,
  request: RunRequest,
  note: Buffer | undefined,
): ContainerOptions {
  const { limits, network } = request;
  const port = network === 'None' ? 0 : proxyPort;
  const words = [limits.seconds, limits.silenceSeconds, limits.logBytes, port].map(String);
  const most = (name: string, value: number) => ({ Name: name, Soft: value, Hard: value });
  return {
    name: runName(context, request.id),
    Image: request.image,
    Entrypoint: ['perl', '-e', context.programs.supervisor, '--', ...words],
    Cmd: [...request.command],
    User: `${builderId}:${builderGroup}`,
    WorkingDir: buildFolder,
    Hostname: 'build',
    Env: environmentOf(request),
    Labels: {
      [labels.owner]: context.owner,
      [labels.role]: 'run',
      [labels.run]: request.id,
      [labels.request]: requestDigest(request),
      ...(note && { [labels.note]: noteDigest(note) }),
    },
    AttachStdout: false,
    AttachStderr: false,
    HostConfig: {
      NetworkMode: 'none',
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      NanoCpus: Math.round(limits.cpus * 1e9),
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      PidsLimit: limits.processes,
      ShmSize: Math.min(sharedMemoryBytes, limits.memoryBytes),
      Ulimits: [openFiles, most('core', 0), most('fsize', limits.diskBytes)],
      IpcMode: 'private',
      CgroupnsMode: 'private',
      RestartPolicy: { Name: 'no' },
      // keeps bytes as they are, unlike json-file
      LogConfig: {
        Type: 'local',
        Config: { 'max-size': `${4 * limits.logBytes}`, 'max-file': '1', compress: 'false' },
      },
    },
  };
}

/** The same for every build of the same request: much of it gets into what is built. */
function environmentOf({ environment, network, sourceDateEpoch, limits }: RunRequest): string[] {
  return variables({
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/games',
    HOME: `${buildFolder}/home`,
    USER: 'builder',
    LOGNAME: 'builder',
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    SOURCE_DATE_EPOCH: String(sourceDateEpoch),
    DEB_BUILD_OPTIONS: `parallel=${Math.max(1, Math.ceil(limits.cpus))}`,
    ...(network === 'None' ? {} : { ...proxyEnvironment, ...noProxy }),
    ...environment,
  });
}

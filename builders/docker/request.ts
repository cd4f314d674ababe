import type { Readable } from 'node:stream';
import type { Reach } from './addresses.ts';
import type { DeclaredArchive } from './archives.ts';

/** What a run may use up. All are hard: beyond them it is ended, and says which. */
export interface RunLimits {
  /** Of processor time in a second; may be a fraction. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Processes and threads at once. */
  readonly processes: number;
  /** Everything that it writes anywhere. */
  readonly diskBytes: number;
  readonly seconds: number;
  /** Without a word in the log. */
  readonly silenceSeconds: number;
  readonly logBytes: number;
  /** Of all artifacts together. */
  readonly artifactBytes: number;
  readonly artifacts: number;
}

export const defaultLimits: RunLimits = {
  cpus: 2,
  memoryBytes: 4 * 2 ** 30,
  processes: 4096,
  diskBytes: 20 * 2 ** 30,
  seconds: 4 * 3600,
  silenceSeconds: 1800,
  logBytes: 64 * 2 ** 20,
  artifactBytes: 4 * 2 ** 30,
  artifacts: 1000,
};

/**
 * What a run may reach.
 *
 * - `None`: nothing but itself
 * - `Archives`: the declared archives, by HTTP
 * - `Full`: public addresses, by HTTP and through CONNECT
 */
export type Network = 'None' | 'Archives' | 'Full';

/** One attempt to run a command on a source tree. */
export interface RunRequest {
  /** Letters, digits, hyphens. The same id is the same run, also after a restart of the controller. */
  readonly id: string;
  /** For whom: turns are shared out fairly between keys. */
  readonly key: string;
  /** `Prepared.image`. */
  readonly image: string;
  readonly command: readonly string[];
  /** Seconds since 1970: what the build is to take for now, and the time of every source file. */
  readonly sourceDateEpoch: number;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly network: Network;
  /** Of `Archives` and `Full`. */
  readonly archives?: readonly DeclaredArchive[] | undefined;
  readonly reach?: Reach | undefined;
  readonly limits: RunLimits;
}

/** Where a run gets its source from, and where what comes of it goes. */
export interface RunStreams {
  /**
   * A tar stream of the tree. Not asked for when the run goes on already; asked for again when the engine went away before
   * all was in there.
   */
  source(): Readable | Promise<Readable>;
  /**
   * What whoever goes on with the run has to know, and may not have otherwise: see `DockerBuilder.noteOf`. Asked for when the
   * run begins. No secrets: whoever may use the engine can read it.
   */
  note?(): Buffer | undefined | Promise<Buffer | undefined>;
  /** How many bytes of the log have been kept: those are not written again. */
  keptLog(): number | Promise<number>;
  writeLog(bytes: Buffer): void | Promise<void>;
  /**
   * Called for one artifact after the other. They count when the run has succeeded, not before; after a restart all come
   * again. The content has to be read to its end.
   */
  artifact(name: string, size: number, content: Readable): Promise<void>;
}

/** dpkg-buildpackage for the packages of one architecture, and those of all. */
export const buildPackage: readonly string[] = [
  ...['dpkg-buildpackage', '--unsigned-source', '--unsigned-changes', '--build=binary'],
];

/** A request that nobody should have made. */
export class RequestInvalid extends Error {
  override readonly name = 'RequestInvalid';
}

const idForm = /^[a-z0-9][a-z0-9-]{0,62}$/;
const nameForm = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function checkRequest({
  id,
  command,
  environment = {},
  limits,
  sourceDateEpoch,
}: RunRequest): void {
  if (!idForm.test(id)) throw new RequestInvalid(`the id of a run can't be ${JSON.stringify(id)}`);
  if (command.length === 0) throw new RequestInvalid('there is no command');
  if (![...command, ...Object.values(environment)].every((text) => !text.includes('\0'))) {
    throw new RequestInvalid('neither words nor variables have zero bytes');
  }
  const odd = Object.keys(environment).find((name) => !nameForm.test(name));
  if (odd !== undefined) throw new RequestInvalid(`no variable is called ${JSON.stringify(odd)}`);
  if (!Number.isSafeInteger(sourceDateEpoch) || sourceDateEpoch < 0) {
    throw new RequestInvalid('the time of the source is a number of seconds');
  }
  const wrong = Object.entries(limits).find(([, value]) => !(value > 0 && Number.isFinite(value)));
  if (wrong) throw new RequestInvalid(`a limit of ${wrong[0]} has to be above zero`);
}

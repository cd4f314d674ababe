import type { Command } from '../measure.ts';
import type { PeerName } from '../options.ts';

/** Where the archive is and who signs it. */
export interface Upstream {
  /** Without a slash at the end. */
  readonly url: string;
  readonly suite: string;
  /** The armored public key. */
  readonly keyFile: string;
}

/** A tool that mirrors archives. */
export interface Peer {
  readonly name: PeerName;
  /** As it calls itself, with the settings that matter. */
  readonly label: string;
  /** Sets everything up in an empty folder and gives the command that mirrors, each time. */
  prepare(folder: string, upstream: Upstream): Promise<Command>;
  /** What it can do with mirrors beside that. */
  readonly snapshots?: SnapshotCommands;
}

/** Commands for a folder that was prepared and mirrored. Names of snapshots are free to choose. */
export interface SnapshotCommands {
  create(folder: string, name: string): Command;
  diff(folder: string, one: string, other: string): Command;
  /** The first publication of a snapshot, before promotions; not measured. */
  publish(folder: string, name: string): Command;
  /** Publish another snapshot in its place. */
  promote(folder: string, name: string): Command;
}

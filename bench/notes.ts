import { cpus } from 'node:os';
import { changedPackages } from './archive.ts';
import type { BenchOptions } from './options.ts';

/** What the figures mean; printed below the table. */
export function notes({ packages, runs, firstRuns, seconds }: BenchOptions): string {
  const cpu = cpus();
  return `
${packages} packages of 2 to 20 KiB, one suite, served by nginx on the loopback interface; ${cpu.length} × ${cpu[0]?.model ?? 'unknown'}.
Medians of ${runs} runs (first mirror: ${firstRuns}). Compare figures of one table only.

- Peers: each command is a process of its own; wall time, CPU and peak memory of it and its children as GNU time
  counts them. Setting up (aptly mirror create, importing keys) is not counted.
- Cairn: first mirror is from starting \`cairn run\` until the Mirror is ready, start of the process included. After
  that the server keeps running, as it does in life: wall time is from the API request until its effect can be seen in
  the object's status, CPU and peak memory are those of the server process meanwhile. Diff is \`cairn diff\` from its
  start to its end; CPU and memory are those of it and of the server together.
- First mirror and refresh: Cairn, aptly and debmirror verify signatures and hashes; apt-mirror verifies nothing.
  Cairn, debmirror and apt-mirror also fetch the translations; aptly does not.
- Refresh with changes: ${changedPackages} packages are replaced by newer versions.
- Promotion and rollback: aptly publish switch, without Contents indexes, signed with RSA 3072; Cairn changes what an
  Environment points to and signs its Release files anew.
- Diff: aptly compares names and versions.
- Serving: ${seconds} s of wrk on one core, the server on another; 32 connections up to 150 KiB, 8 above.
- All start with empty folders on the same file system; nothing is deleted while anything is measured. A run within some
  minutes of another one still suffers from what that deleted at its end.
- Cairn ÷ it: wall time by wall time, or requests by requests.
`;
}

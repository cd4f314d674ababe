import { cpus } from 'node:os';
import { changedPackages } from './archive.ts';
import type { BenchOptions } from './options.ts';
import { countsOf } from './scale/population.ts';
import { packagesEach } from './scale/upstreams.ts';

/** What the figures mean; printed below the table. */
export function notes(options: BenchOptions): string {
  const { packages, objects, only, runs, firstRuns, seconds } = options;
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
- Publish: a repository of as many packages gets one more. reprepro and aptly sign with RSA 3072, without Contents; Cairn with
  Ed25519, from the first byte of the file that is sent until clients get another InRelease, once in two seconds: its Release files
  are dated by the second, and what comes faster for long is published together.
- Builds: new commits of a small C program, whose root file system and build dependencies are there already, on a real
  engine. From the moment that Cairn is told of the commit, by a webhook, until its build runs, and until its packages are published; the
  latter without the time of \`dpkg-buildpackage\` in the same root file system.
- Diff: aptly compares names and versions.
- Serving: ${seconds} s of wrk on one core, the server on another; 32 connections up to 150 KiB, 8 above.
- All start with empty folders on the same file system; nothing is deleted while anything is measured. A run within some
  minutes of another one still suffers from what that deleted at its end.
${only.has('scale') ? scaleNotes(objects) : ''}${only.has('takeover') ? takeoverNotes(objects) : ''}- Cairn ÷ it: wall time by wall time, or requests by requests.
`;
}

function takeoverNotes(objects: number): string {
  return `- Takeover: two replicas with \`--elect\` on one data directory and an API server with ${objects} objects. An edit is sent as
  the one that leads gets a signal; the time is until a watch shows the status of its new generation. A lease lasts 15 s, and
  a leader that is stopped gives it back.
`;
}

function scaleNotes(objects: number): string {
  const { mirrors, sets, snapshots, environments } = countsOf(objects);
  return `- Scale: a real kube-apiserver with a real etcd (which does not wait for the disk), Cairn and the one who watches share
  this machine's cores. ${objects} objects in one namespace: ${mirrors} Mirrors of one archive of ${packagesEach} packages, each under a URL
  of its own; ${sets} MirrorSets; ${snapshots} Snapshots; ${environments} Environments. Cold start: they were only declared, and Cairn begins
  with an empty data directory: every archive is fetched and verified, every Environment gets a key and is signed.
- Writes are all that the API server counts, of anybody and of any resource but leases, after what was told late.
  Memory is VmRSS of the one process of Cairn, threads included. Edits are one each 40 ms, of Mirrors, MirrorSets and
  Environments (which are signed anew) in turn, from the request until a watch shows the status of the new generation;
  a resync is a restart, until every object was looked at.
- Flux: figures of flux-benchmark (RESULTS.md) on 16 cores, each controller with one or two of its own, 10 to 20 workers.
  Its work is another one: a Kustomization builds and applies manifests and looks at their health, an OCIRepository
  downloads an artifact, a HelmRelease installs a chart; most of what Cairn has here are Snapshots, which only read
  what was fetched. So these figures say what people are used to, and not who is faster.
`;
}

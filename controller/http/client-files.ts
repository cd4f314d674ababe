import type { MirroredSuite } from '../../crds/mirror.ts';

/** What a client of an environment or snapshot needs beside its sources. */
export function frozenAptConf(): string {
  return `# A phased update never gets further in a frozen archive: without this line, a part of all
# machines would stay without it.
APT::Get::Always-Include-Phased-Updates "true";
`;
}

/**
 * Lets `apt -S <snapshot>` find our snapshots of archives that are used through a live mirror. apt
 * looks for an override by Label, then by Origin (apt-pkg/deb/debmetaindex.cc).
 */
export function liveAptConf(base: string, suites: readonly MirroredSuite[]): string {
  const lines = new Set<string>();
  const skipped = new Set<string>();
  for (const { origin, label } of suites) {
    if (origin !== undefined) add('Origin', origin);
    // apt has an override of its own for this label, which would win over ours for the origin
    if (label === 'Debian-Security') add('Label', label);
  }
  return [
    '# With these lines, apt -S SNAPSHOT (apt 2.7 or newer) finds the snapshots of this server. SNAPSHOT',
    '# is the name of one, or a time such as 20260801T120000Z.',
    ...lines,
    ...skipped,
    '',
  ].join('\n');

  function add(field: 'Origin' | 'Label', value: string): void {
    const option = `Acquire::Snapshots::URI::Override::${field}::${value}`;
    if (/^[A-Za-z0-9][A-Za-z0-9.+_-]{0,127}$/.test(value)) {
      lines.add(`${option} "${base}/snapshots/@SNAPSHOTID@/@PATH@/";`);
    } else {
      skipped.add(`# There is no option of apt for the ${field} ${JSON.stringify(value)}.`);
    }
  }
}

/** A template for apt_auth.conf(5): entries without a scheme are for https alone. */
export function authConf(base: string, prefix: readonly string[]): string {
  const machine = base.startsWith('https://') ? base.slice('https://'.length) : base;
  const path = prefix.length > 0 ? `/${prefix.join('/')}/` : '/';
  const warning = base.startsWith('https://')
    ? ''
    : '# This server is reached without TLS: the token can be read by whoever is on the way.\n';
  return `# Put this into /etc/apt/auth.conf.d/cairn.conf, readable by root alone.
${warning}machine ${machine}${path} login cairn password <read token here>
`;
}

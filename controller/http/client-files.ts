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
 * looks for an override by Label, then by Origin, and last of all for the host that the archive is
 * on (apt-pkg/deb/debmetaindex.cc).
 */
export function liveAptConf(base: string, suites: readonly MirroredSuite[]): string {
  const lines = new Set<string>();
  for (const { origin = '', label } of suites) {
    add(isTag(origin) ? `Override::Origin::${tag(origin)}` : `Host::${new URL(base).hostname}`);
    // apt has an override of its own for this label, which would win over ours for the origin
    if (label === 'Debian-Security') add(`Override::Label::${label}`);
  }
  return [
    '# With these lines, apt -S SNAPSHOT (apt 2.7 or newer) finds the snapshots of this server. SNAPSHOT',
    '# is the name of one, or a time such as 20260801T120000Z.',
    ...lines,
    '',
  ].join('\n');

  function add(option: string): void {
    lines.add(`Acquire::Snapshots::URI::${option} "${base}/snapshots/@SNAPSHOTID@/@PATH@/";`);
  }
}

/** Whether apt.conf(5) can name an option so: two colons would make two of it. */
function isTag(value: string): boolean {
  return value !== '' && !/::|[\x00-\x1f\x7f]/.test(value);
}

/** The name of an option with all that means something in apt.conf escaped, which apt undoes. */
function tag(value: string): string {
  return encodeURIComponent(value).replaceAll(
    /[!~*'()]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
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

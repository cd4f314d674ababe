import type { ControlParagraph } from './control.ts';
import { shown } from './invalid.ts';

/** Of binary and of source packages (Debian Policy 5.6.1 and 5.6.7). */
export function requirePackageName(control: ControlParagraph, field: string): string {
  const name = control.required(field);
  const problem = packageNameProblem(name);
  if (problem) throw control.invalid(field, problem);
  return name;
}

/** deb-version(7), as strict as dpkg is about what it installs. */
export function requireVersion(control: ControlParagraph): string {
  const version = control.required('Version');
  const problem = versionProblem(version);
  if (problem) throw control.invalid('Version', problem);
  return version;
}

/** Of a binary package: one architecture or `all` (Debian Policy 5.6.8), no wildcard. */
export function requireArchitecture(control: ControlParagraph): string {
  const name = control.required('Architecture');
  const isOne = architecture.test(name) && !/(^|-)any(-|$)/.test(name) && name !== 'source';
  if (name.length <= maxLength && isOne) return name;
  throw control.invalid('Architecture', `expected one such as amd64, or all, not ${shown(name)}`);
}

/** What a package was made from. */
export interface SourceName {
  readonly source: string;
  readonly sourceVersion: string;
}

/** `Source: name (version)`, each of which is left out where it is the package's own. */
export function sourceOf(control: ControlParagraph, own: SourceName): SourceName {
  const value = control.get('Source');
  if (!value) return own;
  const [, source, sourceVersion = own.sourceVersion] =
    /^(\S+)(?:\s+\((\S+)\))?$/.exec(value) ?? [];
  if (source === undefined) {
    throw control.invalid('Source', `expected a name, or "name (version)", not ${shown(value)}`);
  }
  const problem = packageNameProblem(source) ?? versionProblem(sourceVersion);
  if (problem) throw control.invalid('Source', problem);
  return { source, sourceVersion };
}

/** Of names and versions: together they are the name of a file. */
const maxLength = 120;
const architecture = /^[a-z0-9][a-z0-9-]*$/;

function packageNameProblem(name: string): string | undefined {
  if (name.length > maxLength) return `${shown(name)} is longer than ${maxLength} characters`;
  if (/^[a-z0-9][a-z0-9+.-]+$/.test(name)) return undefined;
  return (
    'expected two or more lower-case letters, digits, plus, minus and full stop, ' +
    `a letter or digit first, not ${shown(name)}`
  );
}

/** What is wrong with a version by deb-version(7), as a clause; undefined when it is right. */
export function versionProblem(version: string): string | undefined {
  if (version.length > maxLength) return `${shown(version)} is longer than ${maxLength} characters`;
  const colon = version.indexOf(':');
  const epoch = version.slice(0, Math.max(0, colon));
  const dash = version.lastIndexOf('-');
  const upstream = version.slice(colon + 1, dash > colon ? dash : undefined);
  if (colon !== -1 && !isEpoch(epoch)) return `the epoch of ${shown(version)} is no small number`;
  if (!/^[0-9]/.test(upstream)) return `${shown(version)} does not start with a digit`;
  const isUpstream = /^[A-Za-z0-9.+~:-]+$/.test(upstream);
  const isRevision = dash <= colon || /^[A-Za-z0-9.+~]+$/.test(version.slice(dash + 1));
  if (isUpstream && isRevision) return undefined;
  return `${shown(version)} is not of the form [epoch:]upstream[-revision] (deb-version(7))`;
}

function isEpoch(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text) && Number(text) < 2 ** 31;
}

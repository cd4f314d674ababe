import { parseImageName } from '../../builders/docker/image-name.ts';
import type { RegistryLogin } from '../../builders/docker/registry.ts';
import { isRecord } from '../../crds/record.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Secret } from '../secrets.ts';

/** The key of Secrets of type kubernetes.io/dockerconfigjson. */
const configKey = '.dockerconfigjson';
const dockerHub = 'docker.io';
/** What Docker Hub is called in configurations (kubelet's keyring.go, docker login). */
const oldDockerHub = 'index.docker.io';
const mostTried = 8;

/**
 * What a secret has for the registry of an image, the most specific first: `.dockerconfigjson`, as in `imagePullSecrets` of Pods, else
 * `username` and `password`. Throws `SecretMissing`, which tells nothing of what is in it.
 */
export function registryLogins(
  name: string,
  secret: Secret,
  imageName: string,
): readonly RegistryLogin[] {
  const { [configKey]: config, username, password } = secret;
  if (config === undefined) {
    if (username !== undefined && password !== undefined) return [{ username, password }];
    throw useless(name, `needs ${configKey}, or username and password`);
  }
  const image = parseImageName(imageName);
  if (!image) return []; // the builder says what is wrong with that
  const entries = entriesOf(name, config).map(([key, value]) => [placeOf(key), value] as const);
  // As kubelet has it: by the reverse order of their texts, longer paths come before shorter ones.
  const sorted = entries.toSorted(([a], [b]) => (a < b ? 1 : -1));
  const place = `${image.registry}/${image.path}`;
  const fitting = sorted.filter(([pattern]) => fits(pattern, place));
  const hub = sorted.filter(([pattern]) => pattern === oldDockerHub);
  const chosen = fitting.length === 0 && image.registry === dockerHub ? hub : fitting;
  const logins = chosen.slice(0, mostTried).flatMap(([, value]) => loginOf(value) ?? []);
  if (logins.length > 0) return logins;
  const of = `${image.registry}, the registry of ${imageName}`;
  if (chosen.length === 0) throw useless(name, `has no credentials for ${of}`);
  throw useless(name, `has neither auth nor username and password for ${of}`);
}

function useless(name: string, why: string): CairnError {
  return new CairnError('SecretMissing', `the secret ${name} ${why}`);
}

function entriesOf(name: string, config: string): readonly (readonly [string, unknown])[] {
  const parsed = parseJson(config);
  if (!isRecord(parsed)) throw useless(name, `has a ${configKey} that is no object of JSON`);
  const { auths } = parsed;
  if (isRecord(auths)) return Object.entries(auths);
  throw useless(name, `has a ${configKey} without auths`);
}

/** Messages of JSON.parse have some of the text in them. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `https://registry.example.com/v1/`, as old versions wrote it, is the registry as a whole. */
function placeOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
}

/** Whether an image is at a place: its host may have stars, none of which stands for a dot; the path is one of beginnings. */
function fits(pattern: string, place: string): boolean {
  const [host, path] = halves(pattern);
  const [ownHost, ownPath] = halves(place);
  const [wanted = '', port] = host.split(':');
  const [own = '', ownPort] = ownHost.split(':');
  const [labels, ownLabels] = [wanted.split('.'), own.split('.')];
  if (port !== ownPort || labels.length !== ownLabels.length) return false;
  return (
    labels.every((label, index) => matches(label, ownLabels[index] ?? '')) &&
    ownPath.startsWith(path)
  );
}

function halves(place: string): readonly [string, string] {
  const slash = place.indexOf('/');
  return slash < 0 ? [place, ''] : [place.slice(0, slash), place.slice(slash)];
}

/** Each star is as short as can be, which is enough to find out. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first) || text.length < first.length + last.length) return false;
  let left = text.slice(first.length, text.length - last.length);
  for (const part of rest) {
    const at = left.indexOf(part);
    if (at < 0) return false;
    left = left.slice(at + part.length);
  }
  return text.endsWith(last);
}

/** Of an entry, which has `auth`, or both of the others. */
function loginOf(entry: unknown): RegistryLogin | undefined {
  if (!isRecord(entry)) return undefined;
  const { auth, username, password } = entry;
  if (typeof auth === 'string' && auth !== '') {
    const [, name, word] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, 'base64').toString()) ?? [];
    if (name !== undefined && word !== undefined) return { username: name, password: word };
  }
  if (typeof username !== 'string' || typeof password !== 'string') return undefined;
  return { username, password };
}

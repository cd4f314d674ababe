/**
 * Where the copy of an upstream archive is served: `<host>[:port]/<path>`, without slashes at the
 * ends. `http://ftp.debian.org/debian/` → `ftp.debian.org/debian`.
 */
export function mountPath(url: string): string {
  const { host, pathname } = new URL(url);
  const path = decodeURIComponent(pathname)
    .split('/')
    .filter((part) => part !== '')
    .join('/');
  return path === '' ? host : `${host}/${path}`;
}

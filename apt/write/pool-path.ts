/**
 * The directory of a source package in the pool, with a slash at the end: `pool/main/h/hello/`, and
 * `pool/main/libf/libfoo/` for libraries, as Debian's archive has it.
 */
export function poolDirectory(component: string, source: string): string {
  const prefix = /^lib./.test(source) ? source.slice(0, 4) : source.slice(0, 1);
  return `pool/${component}/${prefix}/${source}/`;
}

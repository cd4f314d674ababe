/** What packages may be called (Policy 5.6.1), in as many characters as a file name can hold. */
export const packageNamePattern = /^[a-z0-9][a-z0-9+.-]{1,99}$/;

/** The name of a package for what somebody else calls it: `My_Tool` is `my-tool`. */
export function packageNameOf(text: string): string | undefined {
  const name = text
    .slice(0, 100)
    .toLowerCase()
    .replace(/[^a-z0-9+.-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9+]+$/g, '');
  return packageNamePattern.test(name) ? name : undefined;
}

/** A path that may stand in files of debhelper and in rules as it is. */
export function isPlainPath(path: string): boolean {
  return /^[A-Za-z0-9_@+.][A-Za-z0-9_@+./-]{0,250}$/.test(path) && !path.split('/').includes('..');
}

/** Commands that install what a build made where the build has no installation of its own. */
export function installPrograms(
  names: readonly string[],
  folder: string,
  binary: string,
): string[] {
  const target = `debian/${binary}/usr/bin`;
  const tests = names.map((name) => `-name '${name}'`).join(' -o ');
  return [
    `mkdir -p ${target}`,
    `find ${folder} -name CMakeFiles -prune -o -type f -perm /0111 \\( ${tests} \\) -exec install -m 0755 -t ${target} {} +`,
    `test -n "$$(ls ${target})" # the build made none of its programs`,
  ];
}

/** The same for all programs that were made after the file `stamp`. */
export function installNewPrograms(stamp: string, binary: string): string[] {
  const target = `debian/${binary}/usr/bin`;
  const which = `-type f -perm /0111 -newer ${stamp} ! -name '*.so*' ! -name '*.o'`;
  return [
    `mkdir -p ${target}`,
    `find . -path ./debian -prune -o ${which} -exec install -m 0755 -t ${target} {} +`,
    `test -n "$$(ls ${target})" # the build made no program`,
  ];
}

/** PEP 503: how names of distributions are compared. */
export function normalized(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/**
 * The distribution that a requirement (PEP 508) asks for on Debian; undefined when it is for other
 * systems, older Pythons or extras, or can't be read.
 */
export function parseRequirement(text: string): string | undefined {
  const [requirement = '', marker = ''] = text.slice(0, 1000).split(';', 2);
  if (!appliesHere(marker)) return undefined;
  return /^\s*([A-Za-z0-9][A-Za-z0-9._-]{0,99})/.exec(requirement)?.[1]?.replace(/[._-]+$/, '');
}

/** Python 3.11 and newer on Linux; conditions that are none of these are taken to hold. */
function appliesHere(marker: string): boolean {
  const conditions = marker.split(/\band\b/);
  return !conditions.some((condition) => !/\bor\b/.test(condition) && isForeign(condition));
}

function isForeign(condition: string): boolean {
  const plain = condition.replace(/[\s()"']+/g, '');
  if (/^extra==/.test(plain)) return true;
  if (/^(sys_platform|platform_system|os_name)==/i.test(plain))
    return !/==(linux|posix)/i.test(plain);
  if (/^(sys_platform|platform_system|os_name)!=/i.test(plain))
    return /!=(linux|posix)/i.test(plain);
  if (/^(platform_python_implementation|implementation_name)==/.test(plain)) {
    return !/==cpython/i.test(plain);
  }
  const [, sign = '', minor = ''] =
    /^python(?:_full)?_version(<=?|==)3\.([0-9]{1,2})/.exec(plain) ?? [];
  return sign !== '' && Number(minor) <= 11;
}

/** The host, and the port if one is given, that a repository is on; of one on this machine nothing. Both of git's forms: git-clone(1). */
export function hostOf(url: string): string {
  if (URL.canParse(url) && url.includes('://')) return new URL(url).host;
  return /^(?:[^/@]*@)?([^/:]+):/.exec(url)?.[1]?.toLowerCase() ?? '';
}

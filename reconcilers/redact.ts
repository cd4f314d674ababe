/**
 * Takes secrets out of a text that people will see: the user part of URLs, the value of an
 * Authorization header, and of query parameters that carry a credential. All patterns are linear.
 */
export function redact(text: string): string {
  return text
    .replace(userinfo, '://***@')
    .replace(authorization, '$1***')
    .replace(credentialParameter, '$1***');
}

/** Whether a field of that name holds a secret: `password`, `accessToken`, `Authorization`. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

// Passwords may hold an unescaped `@`, so the last one before the path ends the user part.
const userinfo = /:\/\/[^\s/?#"'<>]*@/g;
const authorization =
  /(authorization["']?\s{0,8}[:=]\s{0,8}["']?)(?:(?:bearer|basic|digest|token)\s{1,8})?[^\s"',;]+/gi;
const credentialParameter = /([?&][\w-]{0,32}(?:token|password|secret|api_?key)=)[^&\s"']+/gi;
const secretName = /passw(or)?d|passphrase|token|authorization|secret(?!ref$)|private_?key|cookie/i;

import { UsageError } from './command.ts';

/** Checks `--external-url`, which goes into the configuration of clients. Throws `UsageError`. */
export function externalUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  const isGood = url && /^https?:\/\/[^/]/i.test(text) && !/[@?#\s]/.test(text);
  if (isGood) return text;
  // Without the text: it may hold a password.
  throw new UsageError('--external-url: expected a URL such as https://apt.example.com');
}

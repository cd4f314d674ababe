/**
 * Orders two Debian versions as dpkg does (deb-version(7)): negative when `a` is earlier, positive
 * when it is later, 0 when they are equal, which differently written ones can be (`1.0` and
 * `1.00`). Takes anything, as `dpkg --compare-versions` does: an epoch that is no number counts as
 * 0, and the empty version is earlier than every other one.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const left = parse(a);
  const right = parse(b);
  if (left.empty || right.empty) return Number(right.empty) - Number(left.empty);
  return (
    left.epoch - right.epoch ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  );
}

interface Version {
  readonly empty: boolean;
  readonly epoch: number;
  readonly upstream: string;
  readonly revision: string;
}

function parse(text: string): Version {
  const trimmed = text.trim();
  const colon = trimmed.indexOf(':');
  const rest = trimmed.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    empty: trimmed === '',
    epoch: colon === -1 ? 0 : epochOf(trimmed.slice(0, colon)),
    upstream: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? '' : rest.slice(dash + 1),
  };
}

function epochOf(text: string): number {
  return /^[0-9]+$/.test(text) ? Number(text) : 0;
}

/** Runs of other characters and runs of digits take turns, beginning with the former. */
function comparePart(a: string, b: string): number {
  let left = 0;
  let right = 0;
  while (left < a.length || right < b.length) {
    while (isText(a, left) || isText(b, right)) {
      const order = orderAt(a, left) - orderAt(b, right);
      if (order !== 0) return order;
      left += 1;
      right += 1;
    }
    const [leftEnd, rightEnd] = [digitsEnd(a, left), digitsEnd(b, right)];
    const order = compareDigits(a.slice(left, leftEnd), b.slice(right, rightEnd));
    if (order !== 0) return order;
    left = leftEnd;
    right = rightEnd;
  }
  return 0;
}

function isText(part: string, at: number): boolean {
  return at < part.length && !isDigit(part.charCodeAt(at));
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

const afterLetters = 256;

/** `~`, then the end and digits, then letters, then everything else. */
function orderAt(part: string, at: number): number {
  if (!isText(part, at)) return 0;
  const code = part.charCodeAt(at);
  if (code === 0x7e) return -1;
  const isLetter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  return isLetter ? code : code + afterLetters;
}

function digitsEnd(part: string, start: number): number {
  let end = start;
  while (end < part.length && isDigit(part.charCodeAt(end))) end += 1;
  return end;
}

/** Of any length: without leading zeros, the longer one is larger. */
function compareDigits(a: string, b: string): number {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

export interface ArmoredBlock {
  /** `PUBLIC KEY BLOCK`, `SIGNATURE`, … */
  readonly type: string;
  readonly bytes: Uint8Array;
}

/**
 * The armored blocks of a text (RFC 9580 section 6.2); text between them does not matter, nor does
 * a block that never ends. The checksum is not looked at (section 6.1): what the bytes are worth is
 * for signatures to say.
 */
export function readArmor(text: string): ArmoredBlock[] {
  const blocks: ArmoredBlock[] = [];
  let type: string | undefined;
  let body: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    const [, edge, named] = /^-----(BEGIN|END) PGP ([A-Z ]+)-----$/.exec(line) ?? [];
    if (edge === 'BEGIN') [type, body] = [named, []];
    else if (edge === undefined) body.push(line);
    else if (type !== undefined && type === named) {
      blocks.push({ type, bytes: Buffer.from(base64Of(body), 'base64') });
      type = undefined;
    }
  }
  return blocks;
}

/** The lines between the headers and the checksum. */
function base64Of(body: readonly string[]): string {
  const data = body.slice(body.indexOf('') + 1);
  const checksum = data.findIndex((line) => line.startsWith('='));
  return (checksum === -1 ? data : data.slice(0, checksum)).join('');
}

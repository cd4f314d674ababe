import { apiVersion } from '../../crds/object.ts';

/** A manifest as YAML, below a comment. */
export async function manifestText(
  kind: string,
  name: string,
  spec: object,
  comment: string,
): Promise<string> {
  const { dump } = await import('js-yaml');
  const lines = comment.split('\n').map((line) => `# ${line}\n`);
  return lines.join('') + dump({ apiVersion, kind, metadata: { name }, spec }, { lineWidth: 100 });
}

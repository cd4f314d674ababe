/**
 * Sections and their values as Python's configparser reads them: values go on in indented lines.
 * Lines that make no sense are left out.
 */
export function readIni(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  let key: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*[#;]/.test(line)) continue;
    const header = /^\[([^\]]{1,200})\]/.exec(line)?.[1];
    const equals = line.search(/[=:]/);
    if (header !== undefined) {
      section = sections.get(header) ?? new Map();
      sections.set(header, section);
      key = undefined;
    } else if (/^\s/.test(line)) {
      if (key !== undefined) section.set(key, `${section.get(key) ?? ''}\n${line.trim()}`.trim());
    } else if (equals > 0) {
      key = line.slice(0, equals).trim().toLowerCase();
      section.set(key, line.slice(equals + 1).trim());
    }
  }
  return sections;
}

import { formatBytes } from './bytes.ts';
import { readyMessage } from './goal.ts';
import { at, type AnyObject } from './objects.ts';

const barWidth = 20;

/**
 * One line on how far an object is: `mirror/debian  Pool  [#####---…] 31%  123/400 files  1.2/3.9
 * GiB  45 MiB/s`; else what its Ready condition says.
 */
export function formatProgress(
  name: string,
  object: AnyObject | undefined,
  columns: number,
): string {
  const progress = object && at(object.status, 'progress');
  const line = progress
    ? progressOf(progress)
    : object
      ? readyMessage(object)
      : 'does not exist yet';
  return `${name}  ${line}`
    .replace(/\s*[\u0000-\u001f\u007f-\u009f]+\s*/g, ' ')
    .slice(0, columns - 1);
}

function progressOf(progress: unknown): string {
  const number = (key: string) => {
    const value = at(progress, key);
    return typeof value === 'number' ? value : 0;
  };
  const [bytes, bytesTotal, files] = [number('bytes'), number('bytesTotal'), number('files')];
  const share = bytesTotal > 0 ? Math.min(1, bytes / bytesTotal) : undefined;
  return [
    String(at(progress, 'phase') ?? ''),
    ...(share === undefined ? [] : [`${bar(share)} ${Math.floor(share * 100)}%`]),
    ...(number('filesTotal') > 0 ? [`${files}/${number('filesTotal')} files`] : []),
    bytesTotal > 0 ? `${formatBytes(bytes)} of ${formatBytes(bytesTotal)}` : formatBytes(bytes),
    ...(number('bytesPerSecond') > 0 ? [`${formatBytes(number('bytesPerSecond'))}/s`] : []),
  ].join('  ');
}

function bar(share: number): string {
  const done = Math.floor(share * barWidth);
  return `[${'#'.repeat(done)}${'-'.repeat(barWidth - done)}]`;
}

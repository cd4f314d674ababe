/**
 * A reporter for `node --test`: one line for each file, everything about a failure, nothing else.
 * With CI=true a test that was skipped, or left for later with `todo`, fails the run.
 */
import path from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

type DataOf<Type extends TestEvent['type']> = Extract<TestEvent, { type: Type }>['data'];
type Finished = DataOf<'test:pass'> | DataOf<'test:fail'>;

/** What one test file has done so far. */
interface FileReport {
  passed: number;
  readonly skipped: string[];
  readonly failures: DataOf<'test:fail'>[];
  readonly output: string[];
}

const root = path.resolve(import.meta.dirname, '..');
const strict = process.env['CI'] === 'true';

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = new Map<string, FileReport>();
  const ended = new Set<string>();
  let milliseconds = 0;
  for await (const event of events) {
    if (event.type !== 'test:summary') note(event, files);
    else if (event.data.file === undefined) milliseconds = event.data.duration_ms;
    else {
      ended.add(event.data.file);
      yield* endFile(event.data.file, reportOf(files, event.data.file), event.data.duration_ms);
    }
  }
  for (const [file, report] of files) {
    if (!ended.has(file)) yield* endFile(file, report); // it broke before its tests were done
  }
  yield* endRun([...files.values()], milliseconds);
}

function note(event: TestEvent, files: Map<string, FileReport>): void {
  if (event.type === 'test:pass' || event.type === 'test:fail') {
    count(event, reportOf(files, event.data.file));
  } else if (event.type === 'test:stdout' || event.type === 'test:stderr') {
    reportOf(files, event.data.file).output.push(event.data.message);
  }
}

function count(event: TestEvent & { data: Finished }, report: FileReport): void {
  const { data } = event;
  if (data.skip !== undefined || data.todo !== undefined) report.skipped.push(data.name);
  else if (event.type === 'test:fail') addFailure(event.data, report);
  else if (data.details.type !== 'suite') report.passed += 1;
}

/** A suite fails when a test in it does; the test says why. */
function addFailure(failure: DataOf<'test:fail'>, report: FileReport): void {
  const { error } = failure.details;
  if (!('failureType' in error && error.failureType === 'subtestsFailed')) {
    report.failures.push(failure);
  }
}

function reportOf(files: Map<string, FileReport>, file = ''): FileReport {
  const report = files.get(file) ?? { passed: 0, skipped: [], failures: [], output: [] };
  files.set(file, report);
  return report;
}

function* endFile(file: string, report: FileReport, milliseconds?: number): Generator<string> {
  const failed = report.failures.length > 0;
  const bad = failed || (strict && report.skipped.length > 0);
  const time = milliseconds === undefined ? '' : `, ${(milliseconds / 1000).toFixed(1)} s`;
  const name = path.relative(root, file);
  yield `${bad ? 'FAIL' : 'ok  '}  ${name}  ${report.passed} passed${time}\n`;
  for (const test of report.skipped) yield `      skipped: ${test}\n`;
  if (failed) yield* explain(report);
  if (bad) process.exitCode = 1;
}

function* explain({ failures, output }: FileReport): Generator<string> {
  for (const { name, details, line } of failures) {
    const cause = details.error.cause ?? details.error;
    yield `\n  ✗ ${name}${line === undefined ? '' : ` (line ${line})`}\n`;
    yield `${indent(withoutInternals(cause instanceof Error ? inspect(cause) : String(cause)))}\n`;
  }
  if (output.length > 0) yield `\n  output:\n${indent(output.join(''))}\n`;
  yield '\n';
}

function withoutInternals(stack: string): string {
  return stack.replaceAll(/^ +at .*\(?node:internal.*\n/gm, '');
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '    ');
}

function* endRun(reports: readonly FileReport[], milliseconds: number): Generator<string> {
  const sum = (each: (report: FileReport) => number) =>
    reports.reduce((total, report) => total + each(report), 0);
  const passed = sum((report) => report.passed);
  const failed = sum((report) => report.failures.length);
  const skipped = sum((report) => report.skipped.length);
  const seconds = (milliseconds / 1000).toFixed(0);
  yield `\n${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s\n`;
}

import { lockDataDirectory } from '../../../controller/store/lock.ts';

/** Locks a directory and holds it until it is killed; says `locked`, or why not. See lock.test.ts. */
try {
  const lock = lockDataDirectory(process.argv[2] ?? '');
  lock.announce('127.0.0.1:8080');
  process.stdout.write('locked\n');
  setInterval(() => lock, 1000);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
}

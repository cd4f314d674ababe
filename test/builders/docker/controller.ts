/**
 * A controller that is there to be killed: node controller.ts ADDRESS OWNER FOLDER IMAGE SCRIPT. It appends the log to FOLDER/log, and
 * writes the result to FOLDER/result.
 */
import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDockerBuilder } from '../../../builders/docker/index.ts';
import { keep, limits, never } from './world.ts';

const [address = '', owner = '', folder = '', image = '', script = ''] = process.argv.slice(2);
const builder = openDockerBuilder({
  engine: { address },
  owner,
  folder: join(folder, 'state'),
  concurrency: 1,
});
const log = join(folder, 'log');
const result = await builder.run(
  {
    id: 'killed',
    key: 'test',
    image,
    command: ['sh', '-euc', script],
    sourceDateEpoch: 1_700_000_000,
    network: 'None',
    limits,
  },
  {
    ...keep(),
    keptLog: () => statSync(log, { throwIfNoEntry: false })?.size ?? 0,
    writeLog: (bytes) => appendFileSync(log, bytes),
  },
  never,
);
writeFileSync(join(folder, 'result'), JSON.stringify(result));

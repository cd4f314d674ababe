/** Leads, says so, and then does not move any more. See leadership.test.ts. */
import { seekLeadership } from '../../controller/leader/leadership.ts';
import { createLog } from '../../controller/log.ts';

const log = createLog({ format: 'text', level: 'error', write: () => undefined });
const [, , name = '', stillMs = ''] = process.argv;
const leadership = seekLeadership({
  env: process.env,
  namespace: 'default',
  name,
  log,
  longestStillMs: Number(stillMs),
});
await leadership.leading;
process.stdout.write('leads\n', () => {
  for (;;);
});

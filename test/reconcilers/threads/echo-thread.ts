/** Answers with what it was told, when it was told to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CairnError } from '../../../crds/reasons.ts';
import { answerCalls } from '../../../reconcilers/threads/answerer.ts';

export interface EchoCall {
  readonly say: string;
  readonly after?: number;
  readonly end?: 'fail' | 'die' | 'surprise';
}

answerCalls<EchoCall, string, string>(
  async ({ say, after = 0, end }, { signal, tell }) => {
    tell(`about to say ${say}`);
    await sleep(after, undefined, { signal });
    if (end === 'fail') throw new CairnError('FileMissing', `${say} is not there`);
    if (end === 'surprise') throw new TypeError(`${say} is no function`);
    if (end === 'die') process.exit(3);
    return say;
  },
  (error) => (error instanceof CairnError ? { of: error.reason } : undefined),
);

/** The repository thread. Started by `publisher.ts`. */
import { workerData } from 'node:worker_threads';
import { openDepot } from '../../depot/open.ts';
import { answerCalls } from '../threads/answerer.ts';
import { publish } from './publish.ts';
import type { PublisherData } from './publisher.ts';
import type { Published, PublishRequest } from './request.ts';

const { depot } = workerData as PublisherData; // set by publisher.ts alone
const blobs = await openDepot(depot);

answerCalls<PublishRequest, Published>((request) => publish(request, blobs));

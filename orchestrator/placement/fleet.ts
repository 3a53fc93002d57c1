// The Nomad cluster as the placement of runs sees it. Used by all files here.
import type { NomadSettings } from '../config/nomad-settings.ts';
import type { NomadClient } from '../nomad/client.ts';

export interface Fleet {
  nomad: Pick<
    NomadClient,
    'dispatch' | 'scale' | 'allocation' | 'allocations' | 'job' | 'stopJob' | 'evaluation' | 'evaluations'
  >;
  settings: Jobs;
}

/** Ids of the service job and of the job that is dispatched for single runs. */
export type Jobs = Pick<NomadSettings, 'job' | 'runJob'>;

/** A dispatched job has the id of the job before a slash. */
export function isDispatched(job: string, { runJob }: Jobs): boolean {
  return job.startsWith(`${runJob}/dispatch-`);
}

const ENDED = ['complete', 'failed', 'lost'];

/** An allocation that ended, or whose node is lost, will not run again. */
export function hasEnded({ status }: { status: string }): boolean {
  return ENDED.includes(status);
}

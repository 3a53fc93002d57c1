// What the daemon gives up once a day: files and rows past their time, refs of runs, archives of environments. Used by main.ts.
import type { DataDirectory } from '../config/data-directory.ts';
import type { Config } from '../config/schema.ts';
import type { Database } from '../db/connect.ts';
import { egressPlaces } from '../egress/places.ts';
import { removeSpool } from '../egress/traffic/spool-files.ts';
import { forgetHours } from '../egress/anomalies/watch.ts';
import { forgetRemoved, unreadFiles } from '../egress/traffic/spool-reader.ts';
import { pruneEnvironments } from '../environments/store/store.ts';
import { forgetPeople } from '../people/forget.ts';
import type { RepositoryStore } from '../repos/mirror.ts';
import { pruneRunRefs } from '../repos/prune.ts';
import { applyRetention } from '../retention/retention.ts';
import type { Chore } from '../tasks/scheduler.ts';

export interface PruningParts {
  db: Database;
  store: RepositoryStore;
  directory: DataDirectory;
  settings: Config['retention'];
  /** Whether records of traffic are to be shipped before they go. */
  audited: boolean;
  /** What was removed, by kind. */
  tell(counts: Record<string, number>): void;
}

const DAY = 24 * 60 * 60;

/** Chores of the scheduler. */
export function pruningChores({ db, store, directory, settings, audited, tell }: PruningParts): Chore[] {
  const { runLogsDays, eventsDays, egressDays, promptsDays, auditDays } = settings;
  const retention = {
    runLogsDays,
    eventsDays,
    egressDays,
    promptsDays,
    runLogs: directory.path('logs/worker'),
    results: directory.path('worker-artifacts/results'),
    prompts: directory.path('logs/prompts'),
  };
  const { spool } = egressPlaces(directory.root);
  return [
    { name: 'retention', everySeconds: DAY, run: async () => await applyRetention(db, retention) },
    {
      name: 'pruning',
      everySeconds: DAY,
      run: async (signal) => {
        tell({
          refs: await pruneRunRefs({ db, store }, runLogsDays, signal),
          traffic: await removeSpool(
            spool,
            new Date(Date.now() - egressDays * DAY * 1000),
            audited ? await unreadFiles(db, 'elasticsearch', spool) : [],
          ),
          people: await forgetPeople(db, { auditDays, sessionsDays: eventsDays }),
          environments: await pruneEnvironments({ db, directory: directory.path('environments') }),
        });
        await forgetRemoved(db, spool);
        await forgetHours(db);
      },
    },
  ];
}

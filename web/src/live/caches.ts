// Which answers an event makes old. What is shown of them is asked for anew half a second later; the longer something goes on to
// change, the less often: many pages may look on.
import type { Event, EventKind } from '../../../protocol/event.ts';
import { queries } from '../api/queries.ts';
import { paced, type Paced } from './pace.ts';

const PAUSE_MS = 500;

/** The first parts of the keys of queries that events of a kind concern; ids narrow them where an answer is about one thing. */
function concerned({ kind, task, run }: Event): (string | number)[][] {
  const area = kind.slice(0, kind.indexOf('.')) as EventKind extends `${infer Area}.${string}` ? Area : never;
  switch (area) {
    case 'task':
      return [['tasks'], ['task', task ?? 0]];
    case 'run': {
      // The task itself has events of its own, and a plan, which goes forward often, is a part of the run alone.
      const runs = [['runs'], ['task', task ?? 0, 'runs']];
      return kind === 'run.plan' ? runs : [...runs, ['run', run ?? '']];
    }
    case 'change':
      return [['changes'], ['change'], ['task', task ?? 0]];
    case 'project':
      return [['projects'], ['project']];
    case 'worker':
    case 'fleet':
      return [['workers'], ['fleet']];
    case 'budget':
    case 'price':
    case 'purchase':
      return [['money']];
    case 'gpu':
      return [['models']];
    case 'drain':
      return [['drain']];
    case 'egress':
      return [['egress']];
    case 'intake':
      return [['intake']];
    default:
      return [[area]];
  }
}

const paces = new Map<string, Paced>();

/** Takes note of an event. */
export function noteEvent(event: Event): void {
  for (const queryKey of concerned(event)) {
    if (queries.getQueryCache().find({ queryKey, exact: false }) === undefined) continue;
    const name = JSON.stringify(queryKey);
    const pace = paces.get(name) ?? paced(async () => await askAnew(queryKey), PAUSE_MS);
    paces.set(name, pace);
    pace.soon();
  }
}

async function askAnew(queryKey: (string | number)[]): Promise<boolean> {
  await queries.invalidateQueries({ queryKey });
  return false;
}

// Which answers an event makes old. What is shown of them is asked for anew, at most twice a second.
import type { Event, EventKind } from '../../../protocol/event.ts';
import { queries } from '../api/queries.ts';

const PAUSE_MS = 500;

/** The first parts of the keys of queries that events of a kind concern; ids narrow them where an answer is about one thing. */
function concerned({ kind, task, run }: Event): (string | number)[][] {
  const area = kind.slice(0, kind.indexOf('.')) as EventKind extends `${infer Area}.${string}` ? Area : never;
  switch (area) {
    case 'task':
      return [['tasks'], ['task', task ?? 0]];
    case 'run':
      return [['runs'], ['run', run ?? ''], ['task', task ?? 0]];
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

const old = new Map<string, (string | number)[]>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Takes note of an event. */
export function noteEvent(event: Event): void {
  for (const key of concerned(event)) old.set(JSON.stringify(key), key);
  timer ??= setTimeout(() => {
    timer = undefined;
    const keys = [...old.values()];
    old.clear();
    for (const queryKey of keys) void queries.invalidateQueries({ queryKey });
  }, PAUSE_MS);
}

// What a job would change, as lines to read: Nomad's nested difference made flat. Used by deploy.ts.
import type { FleetPlan } from '../../protocol/fleet.ts';
import type { JobDifference, ObjectDifference } from './answers.ts';

type Change = FleetPlan['changes'][number];
const KINDS: Record<string, Change['kind']> = { Added: 'added', Deleted: 'deleted', Edited: 'edited' };
// What Nomad fills in by itself.
const SILENT = new Set(['JobModifyIndex', 'Version', 'VersionTag', 'Dispatched', 'Status', 'ModifyIndex']);

/** Every field that differs, with where it is; a new job is one line. */
export function changesOf(difference: JobDifference): Change[] {
  if (difference.Type === 'Added')
    return [{ kind: 'added', what: `job ${difference.ID}`, old: '', new: countsOf(difference) }];
  const groups = (difference.TaskGroups ?? []).flatMap((group) => [
    ...within(group, `group ${group.Name}`),
    ...(group.Tasks ?? []).flatMap((task) => within(task, `task ${task.Name}`)),
  ]);
  return [...within({ ...difference, Name: '' }, ''), ...groups];
}

const EFFECTS: Record<string, string> = {
  create: 'will be placed',
  destroy: 'will be stopped',
  migrate: 'will be moved',
  'in-place update': 'will be changed without a restart',
  'create/destroy update': 'will be replaced, one after the other',
  canary: 'will be tried beside the others',
  ignore: 'stay as they are at first',
};

/** What becomes of allocations, one line for each group and kind. */
export function effectsOf(difference: JobDifference): string[] {
  return (difference.TaskGroups ?? []).flatMap((group) =>
    Object.entries(group.Updates ?? {}).map(
      ([kind, count]) => `${group.Name}: ${count} ${EFFECTS[kind] ?? kind}`,
    ),
  );
}

function within({ Type, Fields, Objects }: ObjectDifference, place: string): Change[] {
  if (Type === 'None') return [];
  const path = (name: string) => [place, name].filter(Boolean).join(' › ');
  const fields = (Fields ?? []).flatMap(({ Type: type, Name, Old, New }): Change[] => {
    const kind = KINDS[type];
    return kind === undefined || SILENT.has(Name) ? [] : [{ kind, what: path(Name), old: Old, new: New }];
  });
  return [...fields, ...(Objects ?? []).flatMap((object) => within(object, path(object.Name)))];
}

function countsOf({ TaskGroups }: JobDifference): string {
  const counts = (TaskGroups ?? []).map(({ Name, Fields }) => {
    const count = (Fields ?? []).find((field) => field.Name === 'Count')?.New ?? '1';
    return `${count} × ${Name}`;
  });
  return counts.join(', ');
}

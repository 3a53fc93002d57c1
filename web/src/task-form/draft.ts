// What somebody types into the form of a task, and what of it the API gets.
import type { RunLimits } from '../../../protocol/project.ts';
import type { Task, TaskInput, TaskPatch } from '../../../protocol/task.ts';

/** As it stands in the fields: all of it text. */
export interface Draft {
  project: string;
  title: string;
  body: string;
  acceptance: string;
  targetFiles: string;
  agent: string;
  model: string;
  priority: string;
  approvePlan: string;
  deadlineMinutes: string;
  maxIterations: string;
  maxTokens: string;
}

export const EMPTY: Draft = {
  project: '',
  title: '',
  body: '',
  acceptance: '',
  targetFiles: '',
  agent: '',
  model: '',
  priority: '0',
  approvePlan: '',
  deadlineMinutes: '',
  maxIterations: '',
  maxTokens: '',
};

const LIMITS = ['deadlineMinutes', 'maxIterations', 'maxTokens'] as const;

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
const given = (text: string) => (text.trim() === '' ? undefined : text.trim());

/** The limits of a draft; those without a field here stay as they were. */
function limitsOf(draft: Draft, others: RunLimits = {}): RunLimits {
  const kept = { ...others };
  for (const limit of LIMITS) {
    delete kept[limit];
    const text = given(draft[limit]);
    if (text !== undefined) kept[limit] = Number(text);
  }
  return kept;
}

/** What is sent to give the task. The key makes a second press of the button no second task. */
export function inputOf(draft: Draft, idempotencyKey: string): Partial<TaskInput> {
  const agent = given(draft.agent);
  const model = given(draft.model);
  return {
    project: draft.project,
    title: draft.title,
    body: draft.body,
    acceptance: lines(draft.acceptance),
    targetFiles: lines(draft.targetFiles),
    priority: Number(draft.priority),
    limits: limitsOf(draft),
    idempotencyKey,
    ...(agent === undefined ? {} : { agent }),
    ...(model === undefined ? {} : { model }),
    ...(draft.approvePlan === '' ? {} : { approvePlan: draft.approvePlan === 'yes' }),
  };
}

/** A task as a draft, to be edited. */
export function draftOf(task: Task): Draft {
  const limit = (name: (typeof LIMITS)[number]) => String(task.limits[name] ?? '');
  return {
    ...EMPTY,
    project: task.project,
    title: task.title,
    body: task.body,
    acceptance: task.acceptance.join('\n'),
    targetFiles: task.targetFiles.join('\n'),
    agent: task.agent,
    model: task.model,
    priority: String(task.priority),
    deadlineMinutes: limit('deadlineMinutes'),
    maxIterations: limit('maxIterations'),
    maxTokens: limit('maxTokens'),
  };
}

type Editable = Omit<TaskPatch, 'was'>;

function editable(draft: Draft, task: Task): Required<Editable> {
  return {
    title: draft.title.trim(),
    body: draft.body,
    acceptance: lines(draft.acceptance),
    targetFiles: lines(draft.targetFiles),
    priority: Number(draft.priority),
    limits: limitsOf(draft, task.limits),
  };
}

const TEXTS: Record<keyof Required<Editable>, (keyof Draft)[]> = {
  title: ['title'],
  body: ['body'],
  acceptance: ['acceptance'],
  targetFiles: ['targetFiles'],
  priority: ['priority'],
  limits: [...LIMITS],
};

/** What was changed of the task, with what its editor saw; undefined when nothing was. */
export function patchOf(draft: Draft, task: Task): TaskPatch | undefined {
  const seen = draftOf(task);
  const fields = Object.keys(TEXTS) as (keyof typeof TEXTS)[];
  const changed = fields.filter((field) => TEXTS[field].some((text) => draft[text] !== seen[text]));
  if (changed.length === 0) return undefined;
  const of = (from: Editable) => Object.fromEntries(changed.map((field) => [field, from[field]])) as Editable;
  return { ...of(editable(draft, task)), was: of(task) };
}

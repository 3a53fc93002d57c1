// The steps from an empty appliance to a first change, and how far they are. Only what was skipped is kept, by this browser: all else
// is seen in what there is.
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Task } from '../../../protocol/task.ts';
import { get } from '../api/client.ts';
import { forgesQuery, modelsQuery, projectsQuery, workersQuery } from '../projects/data.ts';

export const STEPS = ['model', 'forge', 'project', 'worker', 'task'] as const;
export type Step = (typeof STEPS)[number];

export const STEP_WORDS: Record<Step, { title: string; what: string }> = {
  model: {
    title: 'Connect a model',
    what: 'What agents think with: a server, an API, or GPUs of this machine.',
  },
  forge: {
    title: 'Connect a forge',
    what: 'Where changes become pull requests. A repository does without one.',
  },
  project: { title: 'Make a project', what: 'A repository, and the commands that verify a result.' },
  worker: { title: 'Agent and worker', what: 'Who does the work, and on which machine.' },
  task: { title: 'Give a first task', what: 'And see it become a change.' },
};

const KEY = 'autocode-first-run';
/** What stands for all of it among what was skipped: it is not offered any more. */
const OFFER = 'offer';

function kept(): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(value) ? value.map(String) : [];
  } catch {
    return [];
  }
}

function keep(words: string[]): void {
  localStorage.setItem(KEY, JSON.stringify([...new Set(words)]));
}

/** Whether somebody has said here that it is not to be offered. */
export function isDismissed(): boolean {
  return kept().includes(OFFER);
}

/** Does not offer it any more. */
export function dismiss(): void {
  keep([...kept(), OFFER]);
}

const anyTaskQuery = queryOptions({
  queryKey: ['tasks', 'any'],
  queryFn: async ({ signal }) => await get<Task[]>('/tasks', { limit: 1 }, signal),
});

export interface Steps {
  done: ReadonlySet<Step>;
  skipped: ReadonlySet<Step>;
  /** The first that is neither done nor skipped; undefined: all are. */
  next: Step | undefined;
  skip: (step: Step) => void;
}

/** How far the steps are; undefined until that is known. */
export function useSteps(): Steps | undefined {
  const [words, setWords] = useState(kept);
  const models = useQuery(modelsQuery).data;
  const forges = useQuery(forgesQuery).data;
  const projects = useQuery(projectsQuery).data;
  const workers = useQuery(workersQuery).data;
  const tasks = useQuery(anyTaskQuery).data;
  if (!models || !forges || !projects || !workers || !tasks) return undefined;
  const is: Record<Step, boolean> = {
    model: models.some(({ kind }) => kind !== 'replay'),
    forge: forges.length > 0,
    project: projects.length > 0,
    worker: workers.some(
      ({ state, agents }) => state === 'online' && agents.some(({ name }) => name !== 'command'),
    ),
    task: tasks.length > 0,
  };
  const done = new Set(STEPS.filter((step) => is[step]));
  const skipped = new Set(STEPS.filter((step) => !is[step] && words.includes(step)));
  return {
    done,
    skipped,
    next: STEPS.find((step) => !done.has(step) && !skipped.has(step)),
    skip: (step) => {
      keep([...kept(), step]);
      setWords(kept());
    },
  };
}

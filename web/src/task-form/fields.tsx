// The fields of a task, for giving one and for editing one.
import { useQuery } from '@tanstack/react-query';
import type { Model } from '../../../protocol/model.ts';
import type { Project } from '../../../protocol/project.ts';
import type { Worker } from '../../../protocol/worker.ts';
import { ApiError, get } from '../api/client.ts';
import { Field, Input, Select, TextArea } from '../ui/field.tsx';
import type { Draft } from './draft.ts';

interface FieldsProps {
  draft: Draft;
  /** One that is there keeps its project, agent and model. */
  editing: boolean;
  problem: unknown;
  onChange: (draft: Draft) => void;
}

/** All fields; what the API has against one stands below it. */
export function Fields({ draft, editing, problem, onChange }: FieldsProps) {
  const bind = (name: keyof Draft) => ({
    name,
    value: draft[name],
    onChange: ({ target }: { target: { value: string } }) => onChange({ ...draft, [name]: target.value }),
  });
  const mistake = (name: string) => mistakeAt(problem, name);
  return (
    <div className="space-y-3">
      {!editing && <ProjectField bind={bind('project')} mistake={mistake('project')} />}
      <Field label="Title" mistake={mistake('title')}>
        <Input
          {...bind('title')}
          required
          maxLength={300}
          autoFocus
          placeholder="What is to be done, in one line"
        />
      </Field>
      <Field label="Prompt" hint="What the agent has to know beyond the title." mistake={mistake('body')}>
        <TextArea {...bind('body')} rows={5} />
      </Field>
      <Field
        label="Acceptance criteria"
        hint="One a line; the agent sees each."
        mistake={mistake('acceptance')}
      >
        <TextArea {...bind('acceptance')} rows={3} />
      </Field>
      {!editing && <Doers bind={bind} mistake={mistake} />}
      <details open={editing}>
        <summary className="py-1 font-medium">Limits, files, priority</summary>
        <div className="mt-2 grid grid-cols-2 gap-3 sm:grid-cols-4">
          <Field label="Priority" mistake={mistake('priority')}>
            <Input {...bind('priority')} type="number" min={-100} max={100} step={1} required />
          </Field>
          <Field label="Minutes" mistake={mistake('limits.deadlineMinutes')}>
            <Input {...bind('deadlineMinutes')} type="number" min={1} step="any" placeholder="project" />
          </Field>
          <Field label="Iterations" mistake={mistake('limits.maxIterations')}>
            <Input {...bind('maxIterations')} type="number" min={1} max={100} placeholder="project" />
          </Field>
          <Field label="Tokens" mistake={mistake('limits.maxTokens')}>
            <Input {...bind('maxTokens')} type="number" min={1} placeholder="project" />
          </Field>
          <div className="col-span-full">
            <Field label="Files" hint="Files or folders that the change is expected in, one a line.">
              <TextArea {...bind('targetFiles')} rows={2} className="font-mono" />
            </Field>
          </div>
        </div>
      </details>
    </div>
  );
}

type Bound = { name: string; value: string; onChange: (event: { target: { value: string } }) => void };

function ProjectField({ bind, mistake }: { bind: Bound; mistake: string | undefined }) {
  const { data: projects } = useQuery({
    queryKey: ['projects'],
    queryFn: async ({ signal }) => await get<Project[]>('/projects', {}, signal),
  });
  const hint = projects?.length === 0 ? 'There is none yet: the page Projects makes one.' : undefined;
  return (
    <Field label="Project" mistake={mistake} hint={hint}>
      <Select {...bind} required>
        <option value="">Choose one</option>
        {projects?.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
    </Field>
  );
}

function Doers({
  bind,
  mistake,
}: {
  bind: (name: keyof Draft) => Bound;
  mistake: (name: string) => string | undefined;
}) {
  const { data: models = [] } = useQuery({
    queryKey: ['models', 'offered'],
    queryFn: async ({ signal }) => await get<Model[]>('/models', {}, signal),
  });
  const { data: workers = [] } = useQuery({
    queryKey: ['workers', 'all'],
    queryFn: async ({ signal }) => await get<Worker[]>('/workers', {}, signal),
    retry: false, // not open to whoever has a role in some projects only
  });
  const agents = new Set(['command', ...workers.flatMap((worker) => worker.agents.map(({ name }) => name))]);
  const roles = new Set(models.flatMap((model) => model.roles.map((role) => `autocode/${role}`)));
  return (
    <div className="grid gap-3 sm:grid-cols-3">
      <Field label="Agent" mistake={mistake('agent')}>
        <Select {...bind('agent')}>
          <option value="">As the project has it</option>
          {[...agents].toSorted().map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      </Field>
      <Field label="Model or role" mistake={mistake('model')}>
        <Select {...bind('model')}>
          <option value="">As the project has it</option>
          {[...roles, ...models.map(({ name }) => name)].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      </Field>
      <Field label="Plan">
        <Select {...bind('approvePlan')}>
          <option value="">As the project has it</option>
          <option value="yes">Is approved by a person</option>
          <option value="no">Needs no approval</option>
        </Select>
      </Field>
    </div>
  );
}

/** What the API has against a field, by its path in the body. */
function mistakeAt(problem: unknown, name: string): string | undefined {
  if (!(problem instanceof ApiError) || !Array.isArray(problem.details)) return undefined;
  const found = (problem.details as { path?: string; message?: string }[]).find(
    ({ path }) => path === name || path?.startsWith(`${name}.`),
  );
  return found?.message;
}

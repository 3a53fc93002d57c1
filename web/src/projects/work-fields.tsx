// Who works on a project and how the work is verified; limits of a run.
import { useQuery } from '@tanstack/react-query';
import type { FILE_SETTINGS } from '../../../protocol/project.ts';
import { Check } from '../ui/check.tsx';
import { Field, Input, TextArea } from '../ui/field.tsx';
import { modelsQuery, workersQuery } from './data.ts';
import { bindOf, Group, type GroupProps } from './group.tsx';
import { mistakeAt } from './mistake.ts';
import { VerifyFields } from './verify-fields.tsx';
import { LIMITS, LIMIT_WORDS } from './words.ts';

/** Settings whose value alone does not say whether a person has set it. */
const LEFT: Partial<Record<(typeof FILE_SETTINGS)[number], string>> = {
  verify: 'verify commands',
  reviewers: 'reviewers',
  labels: 'labels',
  draft: 'whether pull requests are drafts',
};

/** The groups "Work" and "Limits of a run". */
export function WorkFields({ repositories, ...parts }: GroupProps & { repositories: string[] }) {
  const { draft, problem, onChange } = parts;
  const bind = bindOf(parts);
  const mistake = (name: string) => mistakeAt(problem, name);
  const names = Object.keys(LEFT) as (keyof typeof LEFT)[];
  return (
    <>
      <Group title="Work">
        <div className="grid gap-3 sm:grid-cols-2">
          <Field
            label="Agent"
            hint="Empty: as the repository or the installation says."
            mistake={mistake('agent')}
          >
            <Input {...bind('agent')} list="agents" />
          </Field>
          <Field
            label="Model or role"
            hint="As engine/model or autocode/coder; empty: as the repository or the installation says."
            mistake={mistake('model')}
          >
            <Input {...bind('model')} list="models" />
          </Field>
        </div>
        <Names />
        {(draft.agent === 'command' || draft.agentCommand !== '') && (
          <Field
            label="Program of the agent command"
            hint="The program and its arguments, one a line."
            mistake={mistake('agentCommand')}
          >
            <TextArea {...bind('agentCommand')} rows={3} className="font-mono" />
          </Field>
        )}
        <VerifyFields
          commands={draft.verify}
          repositories={repositories}
          onChange={(verify) => onChange({ ...draft, verify })}
        />
        <Check
          label="A person approves the plan of each task before the work begins"
          checked={draft.approvePlan}
          onChange={({ target }) => onChange({ ...draft, approvePlan: target.checked })}
        />
        <Check
          label="Runs keep notes about the repositories for later ones"
          checked={draft.memory}
          onChange={({ target }) => onChange({ ...draft, memory: target.checked })}
        />
        <fieldset className="space-y-1">
          <legend className="font-medium">Decided by .autocode.yaml of the repository from now on</legend>
          {names.map((name) => (
            <Check
              key={name}
              label={LEFT[name]}
              checked={draft.left.includes(name)}
              onChange={({ target }) => {
                const others = draft.left.filter((each) => each !== name);
                onChange({ ...draft, left: target.checked ? [...others, name] : others });
              }}
            />
          ))}
        </fieldset>
      </Group>
      <Group title="Limits of a run">
        <div className="grid grid-cols-2 gap-3 sm:grid-cols-4">
          {LIMITS.map((limit) => (
            <Field key={limit} label={LIMIT_WORDS[limit].label} mistake={mistake(`limits.${limit}`)}>
              <Input
                type="number"
                min={LIMIT_WORDS[limit].whole ? 1 : 0}
                step={LIMIT_WORDS[limit].whole ? 1 : 'any'}
                placeholder="as configured"
                value={draft.limits[limit]}
                onChange={({ target }) =>
                  onChange({ ...draft, limits: { ...draft.limits, [limit]: target.value } })
                }
              />
            </Field>
          ))}
        </div>
      </Group>
    </>
  );
}

/** Agents and models that are there, offered while one is typed. */
function Names() {
  const { data: models = [] } = useQuery(modelsQuery);
  const { data: workers = [] } = useQuery(workersQuery);
  const agents = new Set(['command', ...workers.flatMap((worker) => worker.agents.map(({ name }) => name))]);
  const roles = new Set(models.flatMap((model) => model.roles.map((role) => `autocode/${role}`)));
  return (
    <>
      <datalist id="agents">
        {[...agents].toSorted().map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <datalist id="models">
        {[...roles, ...models.map(({ name }) => name)].map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}

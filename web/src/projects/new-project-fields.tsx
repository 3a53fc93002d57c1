// Name, checks, agent, model and sandbox of a project that is being made.
import { useQuery } from '@tanstack/react-query';
import type { RepositoryLook } from '../../../protocol/repository-look.ts';
import { Check } from '../ui/check.tsx';
import { Field, Input, Select, TextArea } from '../ui/field.tsx';
import { modelsQuery, workersQuery } from './data.ts';
import { mistakeAt } from './mistake.ts';
import type { NewProject } from './new-project.ts';
import { VerifyFields } from './verify-fields.tsx';
import { ISOLATION_WORDS } from './words.ts';

interface FieldsProps {
  typed: NewProject;
  look: RepositoryLook | undefined;
  problem: unknown;
  onChange: (typed: NewProject) => void;
}

/** The fields below what was found. */
export function NewProjectFields({ typed, look, problem, onChange }: FieldsProps) {
  const bind = (name: 'name' | 'branch' | 'agent' | 'agentCommand' | 'model') => ({
    value: typed[name],
    onChange: ({ target }: { target: { value: string } }) => onChange({ ...typed, [name]: target.value }),
  });
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field
          label="Name"
          hint="Lower-case letters, digits, dots, dashes; unique here."
          mistake={mistakeAt(problem, 'name')}
        >
          <Input
            {...bind('name')}
            required
            maxLength={63}
            pattern="[a-z0-9][a-z0-9._\-]*"
            autoComplete="off"
            title="Lower-case letters, digits, dots, dashes and underscores"
          />
        </Field>
        {look !== undefined && (
          <Field label="Base branch" mistake={mistakeAt(problem, 'defaultBranch')}>
            <Input {...bind('branch')} placeholder="the repository’s own" />
          </Field>
        )}
      </div>
      <VerifyFields commands={typed.verify} onChange={(verify) => onChange({ ...typed, verify })} />
      <Doers bind={bind} problem={problem} />
      {typed.agent === 'command' && (
        <Field
          label="Program of the agent"
          hint="The program and its arguments, one a line; the task comes on its standard input."
          mistake={mistakeAt(problem, 'agentCommand')}
        >
          <TextArea {...bind('agentCommand')} required rows={3} className="font-mono" />
        </Field>
      )}
      <Sandbox typed={typed} onChange={onChange} />
      <Outside model={typed.model} allowed={typed.external} />
      <Check
        label="Its agents may use models outside of the appliance"
        hint="Needed for the API of a vendor. What agents ask it leaves this machine; each request is recorded."
        checked={typed.external}
        onChange={({ target }) => onChange({ ...typed, external: target.checked })}
      />
    </>
  );
}

type Bound = { value: string; onChange: (event: { target: { value: string } }) => void };

function Doers({ bind, problem }: { bind: (name: 'agent' | 'model') => Bound; problem: unknown }) {
  const { data: models = [] } = useQuery(modelsQuery);
  const { data: workers = [] } = useQuery(workersQuery);
  const agents = new Set(['command', ...workers.flatMap((worker) => worker.agents.map(({ name }) => name))]);
  const roles = new Set(models.flatMap((model) => model.roles.map((role) => `autocode/${role}`)));
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <Field label="Agent" mistake={mistakeAt(problem, 'agent')}>
        <Select {...bind('agent')}>
          <option value="">As the repository or the installation says</option>
          {[...agents].toSorted().map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      </Field>
      <Field label="Model or role" mistake={mistakeAt(problem, 'model')}>
        <Select {...bind('model')}>
          <option value="">As the repository or the installation says</option>
          {[...roles, ...models.map(({ name }) => name)].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      </Field>
    </div>
  );
}

function Sandbox({ typed, onChange }: Pick<FieldsProps, 'typed' | 'onChange'>) {
  const { data: workers } = useQuery(workersQuery);
  const there = new Set(workers?.flatMap(({ isolations }) => isolations));
  const missing = workers !== undefined && workers.length > 0 && !there.has(typed.isolation);
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <Field
        label="Runs are confined by"
        mistake={missing ? 'No worker that is here now can give a run this.' : undefined}
      >
        <Select
          value={typed.isolation}
          onChange={({ target }) =>
            onChange({ ...typed, isolation: target.value as NewProject['isolation'] })
          }
        >
          {Object.entries(ISOLATION_WORDS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Select>
      </Field>
      {typed.isolation === 'directory' && (
        <Check
          label="I trust this project"
          hint="Its agent, and what the repository makes it run, have the rights of the worker."
          checked={typed.trusted}
          required
          onChange={({ target }) => onChange({ ...typed, trusted: target.checked })}
        />
      )}
    </div>
  );
}

/** What would come of it, where the model that its tasks ask for is outside and nobody has allowed that. */
function Outside({ model, allowed }: { model: string; allowed: boolean }) {
  const { data: models = [] } = useQuery(modelsQuery);
  const asked = models.filter(({ name, isDefault, roles }) =>
    model === '' ? isDefault : name === model || roles.some((role) => `autocode/${role}` === model),
  );
  if (allowed || asked.length === 0 || asked.some(({ external }) => !external)) return null;
  return (
    <p className="text-warn">
      {asked[0]!.name} is outside of the appliance: its agents would be refused, unless you allow it below.
    </p>
  );
}

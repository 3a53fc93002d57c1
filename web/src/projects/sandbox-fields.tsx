// Where the runs of a project take place, what confines them and what their agents may do.
import { useQuery } from '@tanstack/react-query';
import { Check } from '../ui/check.tsx';
import { Field, Input, Select } from '../ui/field.tsx';
import { environmentsQuery } from './data.ts';
import { bindOf, Group, type GroupProps } from './group.tsx';
import { mistakeAt } from './mistake.ts';
import { ISOLATION_WORDS, PLACEMENT_WORDS, TOOLS, TOOL_WORDS } from './words.ts';

/** The group "Sandbox and workers". */
export function SandboxFields(parts: GroupProps) {
  const { draft, problem, onChange } = parts;
  const { data: environments = [] } = useQuery(environmentsQuery);
  const bind = bindOf(parts);
  const mistake = (name: string) => mistakeAt(problem, name);
  const denied = TOOLS.filter((tool) => draft.permissions[tool] === 'deny');
  return (
    <Group title="Sandbox and workers">
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="Runs are confined by" mistake={mistake('isolation')}>
          <Select
            value={draft.isolation}
            onChange={({ target }) =>
              onChange({ ...draft, isolation: target.value as typeof draft.isolation })
            }
          >
            <Options words={ISOLATION_WORDS} />
          </Select>
        </Field>
        <Field
          label="Environment"
          hint="Where the programs of its runs come from; empty: as the repository or the installation says."
          mistake={mistake('environment')}
        >
          <Input {...bind('environment')} list="environments" />
        </Field>
        <Field label="Workers" mistake={mistake('placement')}>
          <Select
            value={draft.placement}
            onChange={({ target }) =>
              onChange({ ...draft, placement: target.value as typeof draft.placement })
            }
          >
            <Options words={PLACEMENT_WORDS} />
          </Select>
        </Field>
        <Field
          label="Labels of workers"
          hint="Only workers with all of these; between them a comma."
          mistake={mistake('workerLabels')}
        >
          <Input {...bind('workerLabels')} />
        </Field>
        <Field
          label="Memory of a run (MiB)"
          hint="Set aside for each; empty: as configured for the agent."
          mistake={mistake('runMemoryMib')}
        >
          <Input {...bind('runMemoryMib')} type="number" min={1} step={1} />
        </Field>
      </div>
      <datalist id="environments">
        {['host', ...environments.map(({ name }) => name)].map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <Check
        label="I trust this project"
        hint="Allows runs without a sandbox: the agent, and what the repository makes it run, then have the rights of the worker."
        checked={draft.trusted}
        onChange={({ target }) => onChange({ ...draft, trusted: target.checked })}
      />
      <Check
        label="Workers keep what package managers have fetched for later runs"
        checked={draft.dependencyCaches}
        onChange={({ target }) => onChange({ ...draft, dependencyCaches: target.checked })}
      />
      <fieldset className="flex flex-wrap gap-x-4 gap-y-1">
        <legend className="font-medium">When its agent asks, it may not</legend>
        {TOOLS.map((tool) => (
          <Check
            key={tool}
            label={TOOL_WORDS[tool].toLowerCase()}
            checked={denied.includes(tool)}
            onChange={({ target }) =>
              onChange({
                ...draft,
                permissions: { ...draft.permissions, [tool]: target.checked ? 'deny' : 'allow' },
              })
            }
          />
        ))}
      </fieldset>
    </Group>
  );
}

/** The options of a list by their words. */
export function Options({ words }: { words: Record<string, string> }) {
  return Object.entries(words).map(([value, label]) => (
    <option key={value} value={value}>
      {label}
    </option>
  ));
}

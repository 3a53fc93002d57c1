// The settings of a project by group, each with where it comes from where that is not the project itself.
import type { ReactNode } from 'react';
import type { Setting } from '../../../protocol/project-file.ts';
import type { Project, VerifyCommand } from '../../../protocol/project.ts';
import { visible } from '../log/visible.ts';
import { Badge } from '../ui/badge.tsx';
import { FactList } from '../ui/facts.tsx';
import { Part } from '../ui/part.tsx';
import {
  AFTER_CHANGE_WORDS,
  CLASS_WORDS,
  DAY_WORDS,
  ISOLATION_WORDS,
  LIMITS,
  LIMIT_WORDS,
  MERGE_WORDS,
  PLACEMENT_WORDS,
  RULES,
  RULE_WORDS,
  TOOLS,
  TOOL_WORDS,
} from './words.ts';

const SOURCES: Partial<Record<Setting['source'], string>> = {
  file: '.autocode.yaml',
  found: 'found in its files',
  installation: 'installation',
};

/** The parts, for a grid. */
export function SettingParts({ project, settings }: { project: Project; settings: Setting[] }) {
  const find = (name: string) => settings.find((each) => each.name === name);
  const told = (name: string, words: (value: unknown) => ReactNode = String) => {
    const found = find(name);
    if (found === undefined) return undefined;
    const unset = found.value === null || (Array.isArray(found.value) && found.value.length === 0);
    if (unset && found.source !== 'file') return <span className="text-muted">none</span>;
    return (
      <>
        {unset ? <span className="text-muted">none</span> : words(found.value)} <Source setting={found} />
      </>
    );
  };
  const joined = (value: unknown) => <bdi>{visible((value as string[]).join(', '))}</bdi>;
  return (
    <>
      <Part title="Work">
        <FactList
          facts={[
            ['Agent', told('agent')],
            ['Program', project.agentCommand && <Code text={project.agentCommand.join(' ')} />],
            ['Model', told('model', (value) => <bdi>{visible(String(value))}</bdi>)],
            ['Verified by', told('verify', (value) => <Commands commands={value as VerifyCommand[]} />)],
            ['Plans', project.approvePlan ? 'are approved by a person' : 'need no approval'],
            [
              'Instructions',
              told('instructions', (value) => (
                <bdi className="whitespace-pre-wrap">{visible(String(value))}</bdi>
              )),
            ],
          ]}
        />
      </Part>
      <Part title="Limits of a run">
        <FactList
          facts={LIMITS.map((limit) => [
            LIMIT_WORDS[limit].label,
            told(`limits.${limit}`) ?? project.limits[limit] ?? <span className="text-muted">none</span>,
          ])}
        />
      </Part>
      <Part title="Order of work">
        <FactList
          facts={[
            ['Runs at a time', project.maxRuns ?? <span className="text-muted">as configured</span>],
            ['With an open change', `a task ${AFTER_CHANGE_WORDS[project.afterChange]}`],
            ['Quiet hours', <Quiet key="quiet" hours={project.quietHours} />],
          ]}
        />
      </Part>
      <Part title="Sandbox and workers">
        <FactList
          facts={[
            ['Confined by', ISOLATION_WORDS[project.isolation]],
            ['Trusted', project.trusted ? 'yes: runs may do without a sandbox' : undefined],
            ['Environment', told('environment')],
            ['Workers', PLACEMENT_WORDS[project.placement]],
            ['With labels', project.workerLabels.length > 0 ? project.workerLabels.join(', ') : undefined],
            ['Memory of a run', project.runMemoryMib === null ? undefined : `${project.runMemoryMib} MiB`],
            ['Its agent may not', <Denied key="denied" project={project} />],
            ['Fetched packages', project.dependencyCaches ? 'are kept for later runs' : 'are not kept'],
          ]}
        />
      </Part>
      <Part title="Changes">
        <FactList
          facts={[
            ['Reviewers', told('reviewers', joined)],
            ['Labels', told('labels', joined)],
            ['Drafts', told('draft', (value) => (value === true ? 'yes' : 'no'))],
            [
              'Merged by',
              project.mergeMethod === null
                ? "as the forge's repository has it"
                : MERGE_WORDS[project.mergeMethod],
            ],
            ['Before a push', <Rules key="rules" project={project} />],
          ]}
        />
      </Part>
    </>
  );
}

function Source({ setting: { source, note } }: { setting: Setting }) {
  const words = SOURCES[source];
  return (
    <>
      {words !== undefined && <Badge>{words}</Badge>}
      {note !== null && <span className="block text-sm text-muted">{visible(note)}</span>}
    </>
  );
}

const Code = ({ text }: { text: string }) => <code className="wrap-anywhere">{visible(text)}</code>;

function Commands({ commands }: { commands: VerifyCommand[] }) {
  return (
    <ul className="space-y-0.5">
      {commands.map(({ name, command, in: place }) => (
        <li key={name}>
          <bdi>{visible(name)}</bdi>: <Code text={command} />
          {place !== undefined && <span className="text-muted"> in {place}</span>}
        </li>
      ))}
    </ul>
  );
}

function Quiet({ hours }: { hours: Project['quietHours'] }) {
  if (hours === null) return <span className="text-muted">as configured</span>;
  if (hours.length === 0) return 'none';
  return (
    <ul>
      {hours.map(({ days, from, to, timeZone, except }) => (
        <li key={`${days.join()} ${from}`}>
          {days.length === 7 ? 'daily' : days.map((day) => DAY_WORDS[day]).join(', ')} {from}–{to} {timeZone}
          {except.length > 0 && (
            <span className="text-muted">, not for {except.map((each) => CLASS_WORDS[each]).join(', ')}</span>
          )}
        </li>
      ))}
    </ul>
  );
}

function Denied({ project: { permissions } }: { project: Project }) {
  const denied = TOOLS.filter((tool) => permissions[tool] === 'deny');
  if (denied.length === 0) return <span className="text-muted">nothing that its sandbox allows</span>;
  return denied.map((tool) => TOOL_WORDS[tool].toLowerCase()).join(', ');
}

/** What is not as it is everywhere. */
function Rules({ project: { checks } }: { project: Project }) {
  const own = RULES.filter(
    (rule) => checks.rules[rule] !== undefined || (checks.allow[rule] ?? []).length > 0,
  );
  if (own.length === 0) return <span className="text-muted">the usual rules hold</span>;
  return (
    <ul>
      {own.map((rule) => (
        <li key={rule}>
          {RULE_WORDS[rule].label}: {checks.rules[rule] ?? RULE_WORDS[rule].level}
          {(checks.allow[rule] ?? []).length > 0 && (
            <>
              , not for <Code text={(checks.allow[rule] ?? []).join(' ')} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

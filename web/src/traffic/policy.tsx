// The egress policy that holds, and what it says of a request that nobody sends.
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { EgressPolicy, EgressVerdict } from '../../../protocol/egress.ts';
import type { Project } from '../../../protocol/project.ts';
import { get, send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { clock } from '../task/format.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Choices } from '../ui/choices.tsx';
import { Empty } from '../ui/empty.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { searchOf } from './filter.ts';

const EVERYWHERE = 'everywhere';

/** Of a project, or of the installation. */
export function Policy({ project }: { project: string | undefined }) {
  const { data, error } = useQuery({
    queryKey: ['egress', 'policy', project],
    queryFn: async ({ signal }) => await get<EgressPolicy>('/egress-policy', { project }, signal),
  });
  const { data: projects = [] } = useQuery({
    queryKey: ['projects'],
    queryFn: async ({ signal }) => await get<Project[]>('/projects', {}, signal),
  });
  const choices = [
    { name: EVERYWHERE, search: searchOf('policy', {}) },
    ...projects.map(({ name }) => ({ name, search: searchOf('policy', { project: name }) })),
  ];
  return (
    <>
      <Choices label="Whose policy" to="/traffic" chosen={project ?? EVERYWHERE} choices={choices} />
      <Try key={project} project={project} />
      <Section title={project === undefined ? 'What holds everywhere' : `What holds for ${project}`}>
        {error && <Problem error={error} />}
        {data?.recording != null && (
          <p className="text-warn">
            Record mode until {clock(data.recording.until)}, by {data.recording.author}: all but private
            addresses is let out.
          </p>
        )}
        {data !== undefined && data.effective.length === 0 && (
          <Empty title="Nothing is let out">
            <p>
              Rules are set with <code>autocode egress policy set</code>, and{' '}
              <code>autocode egress policy learn</code> proposes some by what runs asked for.
            </p>
          </Empty>
        )}
        {data !== undefined && data.effective.length > 0 && (
          <pre
            tabIndex={0}
            aria-label="Rules"
            role="region"
            className="max-h-96 overflow-auto rounded-lg border border-line bg-surface p-3"
          >
            {data.effective.map(visible).join('\n')}
          </pre>
        )}
        {data !== undefined && data.at !== null && (
          <p className="text-sm text-muted">
            Version {data.version}, set {clock(data.at)} by {data.author}
          </p>
        )}
      </Section>
    </>
  );
}

/** Why it is so, in words. */
const REASONS: Record<EgressVerdict['reason'], string> = {
  rule: 'a rule says so',
  recording: 'record mode lets out all but private addresses',
  'no-rule': 'no rule allows it',
  'private-address': 'it leads to a private address',
  'names-differ': 'its names differ',
  malformed: 'it is malformed',
};

function Try({ project }: { project: string | undefined }) {
  const [verdict, setVerdict] = useState<EgressVerdict>();
  const [problem, setProblem] = useState<unknown>();
  const ask = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setVerdict(undefined);
    setProblem(undefined);
    try {
      const test = { url: given.get('url'), method: given.get('method'), project };
      setVerdict(await send<EgressVerdict>('POST', '/egress-policy/tests', test));
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Section title="Try a request">
      <form onSubmit={(event) => void ask(event)} className="flex flex-wrap items-end gap-3">
        <Field label="Method">
          <Input name="method" required defaultValue="GET" maxLength={32} className="max-w-24" />
        </Field>
        <div className="min-w-64 flex-1">
          <Field label="Address">
            <Input name="url" type="url" required placeholder="https://registry.example.com/package" />
          </Field>
        </div>
        <Button type="submit">Try</Button>
      </form>
      {problem !== undefined && <Problem error={problem} />}
      {verdict !== undefined && (
        <p role="status">
          <Badge tone={verdict.decision === 'allow' ? 'good' : 'bad'}>
            {verdict.decision === 'allow' ? 'let out' : 'not let out'}
          </Badge>{' '}
          {REASONS[verdict.reason]}
          {verdict.rule !== null && (
            <>
              : <code className="break-all">{visible(verdict.rule)}</code>
            </>
          )}
          {verdict.allowedBy !== null && (
            <>
              . It would be by <code className="break-all">{visible(verdict.allowedBy)}</code>
            </>
          )}
        </p>
      )}
    </Section>
  );
}

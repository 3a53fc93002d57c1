// The egress policy of the installation or of a project: edited, tried, and learnt from what runs asked for.
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { EgressPolicy } from '../../../protocol/egress.ts';
import type { Project } from '../../../protocol/project.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { clock } from '../task/format.ts';
import { Choices } from '../ui/choices.tsx';
import { Empty } from '../ui/empty.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { searchOf } from './filter.ts';
import { Learn } from './learn.tsx';
import { PolicyEditor, type Draft } from './policy-editor.tsx';
import { PolicyHistory } from './policy-history.tsx';
import { withLines } from './policy-text.ts';
import { Record } from './record.tsx';
import { TryRequest } from './try-request.tsx';

const EVERYWHERE = 'everywhere';

interface PolicyProps {
  project: string | undefined;
  /** A rule that is to be put into the editor. */
  allow: string | undefined;
}

/** Of a project, or of the installation. */
export function Policy({ project, allow }: PolicyProps) {
  const navigate = useNavigate();
  const mayChange = useMayInAll('admin');
  const [drafts, setDrafts] = useState<{ [project: string]: Draft | undefined }>({});
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
  const taken = useRef<string>(undefined);
  const whose = project ?? '';
  const draft = drafts[whose];
  const onDraft = (next: Draft | undefined) => setDrafts((all) => ({ ...all, [whose]: next }));
  const take = (change: (text: string) => string) => {
    if (data === undefined) return;
    const text = change(draft?.text ?? data.text);
    onDraft(text === data.text ? undefined : { text, version: draft?.version ?? data.version });
    document.getElementById('policy')?.scrollIntoView({ block: 'start' });
  };
  useEffect(() => {
    if (allow === undefined || allow === taken.current || data === undefined || !mayChange) return;
    taken.current = allow;
    take((text) => withLines(text, [allow]));
    void navigate({
      to: '/traffic',
      search: searchOf('policy', { ...(project && { project }) }) as never,
      replace: true,
    });
  });
  return (
    <>
      <Choices label="Whose policy" to="/traffic" chosen={project ?? EVERYWHERE} choices={choices} />
      {error && <Problem error={error} />}
      {data !== undefined && (
        <>
          <div id="policy" className="scroll-mt-16 space-y-5">
            {mayChange && (
              <Section
                title={project === undefined ? 'Rules for all projects' : `Rules for ${project} alone`}
              >
                <Told policy={data} />
                <PolicyEditor key={whose} policy={data} draft={draft} onDraft={onDraft} />
                <PolicyHistory
                  key={`history of ${whose}`}
                  project={project}
                  onTake={(text) => take(() => text)}
                />
              </Section>
            )}
          </div>
          <TryRequest key={`try ${whose}`} project={project} />
          {project !== undefined && (
            <Section title="Record and learn">
              <Record project={project} recording={data.recording} mayChange={mayChange} />
              <Learn
                key={project}
                project={project}
                onTake={mayChange ? (rules) => take((text) => withLines(text, rules)) : undefined}
              />
            </Section>
          )}
          <Holds policy={data} />
          {!mayChange && <PolicyHistory project={project} onTake={undefined} />}
        </>
      )}
    </>
  );
}

function Told({ policy: { version, at, author } }: { policy: EgressPolicy }) {
  return (
    <p className="text-sm text-muted">
      {at === null ? 'Never set.' : `Version ${version}, set ${clock(at)} by ${author}.`} A rule a line, as{' '}
      <code>allow method=GET,HEAD host=registry.example.com</code>. What is not allowed is refused.
    </p>
  );
}

/** Every rule that is in force, presets written out. */
function Holds({ policy: { project, effective } }: { policy: EgressPolicy }) {
  return (
    <Section title={project === null ? 'What holds everywhere' : `All that holds for ${project}`}>
      {effective.length === 0 ? (
        <Empty title="Nothing is let out">
          <p>
            Without a rule no request of a run leaves. Tick a preset, or learn rules from what runs asked for.
          </p>
        </Empty>
      ) : (
        <pre
          tabIndex={0}
          aria-label="Rules that hold"
          role="region"
          className="max-h-96 overflow-auto rounded-lg border border-line bg-surface p-3"
        >
          {effective.map(visible).join('\n')}
        </pre>
      )}
    </Section>
  );
}

// One project: what it is, who works on it within which limits, and all that may be changed of it.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { Project } from '../../../protocol/project.ts';
import { useMay, useMayInAll } from '../session/session.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/problem.tsx';
import { projectQuery, settingsQuery } from './data.ts';
import { EditDialog } from './edit-dialog.tsx';
import { FileProblems } from './file-problems.tsx';
import { ModelPolicyPart } from './model-policy.tsx';
import { NotesPart } from './notes.tsx';
import { RemoveDialog } from './remove-dialog.tsx';
import { RepositoriesPart } from './repositories.tsx';
import { SecretsPart } from './secrets.tsx';
import { SettingParts } from './setting-parts.tsx';

/** The page at `/projects/$project`. */
export function ProjectPage() {
  const { project: name } = useParams({ strict: false }) as { project: string };
  const { data, error } = useQuery(projectQuery(name));
  if (error !== null && data === undefined) {
    return (
      <div className="p-4">
        <Problem error={error} />
      </div>
    );
  }
  if (data === undefined) return <p className="p-4 text-muted">Asking for the project …</p>;
  return <Shown key={data.id} project={data} />;
}

function Shown({ project }: { project: Project }) {
  const { name, archivedAt } = project;
  const mayChange = useMayInAll('operator') && archivedAt === null;
  const isAdmin = useMayInAll('admin');
  const [open, setOpen] = useState<'edit' | 'remove'>();
  const { data: settings } = useQuery(settingsQuery(name));
  const close = () => setOpen(undefined);
  return (
    <div className="mx-auto max-w-7xl space-y-5 p-4">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h1 className="text-xl font-semibold">{name}</h1>
        {archivedAt !== null && <Badge tone="warn">removed</Badge>}
        <Ways project={project} />
        {mayChange && (
          <span className="ml-auto flex gap-2">
            <Button onClick={() => setOpen('edit')}>Edit …</Button>
            <Button look="danger" onClick={() => setOpen('remove')}>
              Remove …
            </Button>
          </span>
        )}
      </header>
      {archivedAt !== null && (
        <p className="text-muted">It takes no tasks any more; what was done for it stays here to be read.</p>
      )}
      <FileProblems file={settings?.file ?? null} />
      <RepositoriesPart project={project} mayChange={mayChange} />
      <div className="grid gap-4 lg:grid-cols-2">
        <SettingParts project={project} settings={settings?.settings ?? []} />
        <ModelPolicyPart project={name} mayChange={mayChange} />
        <NotesPart project={project} mayClear={mayChange} />
        {isAdmin && <SecretsPart project={name} mayChange={mayChange} />}
      </div>
      {open === 'edit' && <EditDialog name={name} onClose={close} />}
      {open === 'remove' && <RemoveDialog project={project} onClose={close} />}
    </div>
  );
}

/** Where else something about it is. */
function Ways({ project: { name, archivedAt } }: { project: Project }) {
  const mayGive = useMay('operator', name);
  const all = useMayInAll('viewer');
  const ways: [label: string, to: string, search: object][] = [
    ['Board', '/', { project: name }],
    ['Review', '/review', { project: name }],
    ...(all
      ? ([['What runs may reach', '/traffic', { view: 'policy', project: name }]] as [
          string,
          string,
          object,
        ][])
      : []),
    ...(mayGive && archivedAt === null
      ? ([['New task', '/', { project: name, new: true }]] as [string, string, object][])
      : []),
  ];
  return (
    <nav aria-label="About this project" className="flex flex-wrap gap-x-3">
      {ways.map(([label, to, search]) => (
        <Link key={label} to={to} search={search as never} className="text-accent hover:underline">
          {label}
        </Link>
      ))}
    </nav>
  );
}

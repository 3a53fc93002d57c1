// The repositories of a project: where they are and by which forge their changes go; another one, one less, another forge.
import { useState, type FormEvent, type ReactNode } from 'react';
import type { Project, ProjectPatch, Repository, RepositoryInput } from '../../../protocol/project.ts';
import { act } from '../api/act.ts';
import { send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { visible } from '../log/visible.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { toast } from '../ui/toasts.tsx';
import { Suggestions } from './suggestions.tsx';

/** All of them. */
export function RepositoriesPart({ project, mayChange }: { project: Project; mayChange: boolean }) {
  const { name, repositories } = project;
  const [open, setOpen] = useState<'add' | 'forge'>();
  const remove = async (repository: Repository) =>
    await act(
      'project',
      async () => await send('DELETE', `/projects/${name}/repositories/${repository.name}`),
      () => `${repository.name} is no part of ${name} any more.`,
    );
  const heads = ['Name', 'Address', 'Base branch', 'Forge'];
  return (
    <Section
      title="Repositories"
      actions={mayChange && <Button onClick={() => setOpen('add')}>Add a repository …</Button>}
    >
      <Table label="Repositories" heads={[...heads, ...(mayChange ? ['Actions'] : [])]}>
        {repositories.map((each, at) => (
          <tr key={each.id}>
            <Head>
              {each.name} {at === 0 && repositories.length > 1 && <Badge>primary</Badge>}
            </Head>
            <Cell className="max-w-lg min-w-56 break-all">
              {each.hosted ? 'hosted here' : <bdi>{visible(each.origin)}</bdi>}
            </Cell>
            <Cell>{visible(each.defaultBranch)}</Cell>
            <Cell>{each.forge === 'local' ? <span className="text-muted">none</span> : each.forge}</Cell>
            {mayChange && (
              <Cell>
                {at === 0 ? (
                  <Button look="quiet" onClick={() => setOpen('forge')}>
                    Branch or forge …
                  </Button>
                ) : (
                  <Button look="quiet" aria-label={`Take out ${each.name}`} onClick={() => void remove(each)}>
                    Take out
                  </Button>
                )}
              </Cell>
            )}
          </tr>
        ))}
      </Table>
      {open === 'add' && <AddDialog project={name} onClose={() => setOpen(undefined)} />}
      {open === 'forge' && <ForgeDialog project={project} onClose={() => setOpen(undefined)} />}
    </Section>
  );
}

const textOf = (form: FormData, name: string) => {
  const value = ((form.get(name) as string | null) ?? '').trim();
  return value === '' ? undefined : value;
};
/** What was said, without what was not. */
const given = <T extends object>(parts: T) =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));

function AddDialog({ project, onClose }: { project: string; onClose: () => void }) {
  const save = async (form: FormData) => {
    const token = textOf(form, 'token');
    const input: Partial<RepositoryInput> = given({
      origin: textOf(form, 'origin'),
      name: textOf(form, 'name'),
      defaultBranch: textOf(form, 'branch'),
      forge: token === undefined ? undefined : { token },
    });
    await send<Project>('POST', `/projects/${project}/repositories`, input);
    toast('Tasks that are given from now on work in it too.');
  };
  return (
    <SaveDialog title={`Add a repository to ${project}`} word="Add it" onSave={save} onClose={onClose}>
      <Field label="Repository" hint="A path on the daemon’s machine, or an address that git can clone.">
        <Input name="origin" required autoFocus maxLength={4096} list="repositories" />
      </Field>
      <Suggestions id="repositories" />
      <Field label="Name" hint="Its folder in the work tree; empty: the last part of its address.">
        <Input name="name" maxLength={63} pattern="[a-z0-9][a-z0-9._\-]*" />
      </Field>
      <Field label="Base branch" hint="Empty: the repository’s own.">
        <Input name="branch" maxLength={255} />
      </Field>
      <Field label="Access token of its forge" hint="Only for a forge that is not connected yet.">
        <Input name="token" type="password" autoComplete="off" />
      </Field>
    </SaveDialog>
  );
}

function ForgeDialog({
  project: { name, repositories },
  onClose,
}: {
  project: Project;
  onClose: () => void;
}) {
  const { forge, defaultBranch, origin } = repositories[0]!;
  const save = async (form: FormData) => {
    const choice = given({
      name: textOf(form, 'forge'),
      url: textOf(form, 'url'),
      token: textOf(form, 'token'),
    });
    const named = choice.name !== forge || Object.keys(choice).length > 1;
    const branch = textOf(form, 'branch');
    const patch: ProjectPatch = {
      ...(named ? { forge: choice } : {}),
      ...(branch === undefined || branch === defaultBranch ? {} : { defaultBranch: branch }),
    };
    if (Object.keys(patch).length > 0) await send<Project>('PATCH', `/projects/${name}`, patch);
    toast(`${name} was changed.`);
  };
  return (
    <SaveDialog title="Branch and forge" word="Save" onSave={save} onClose={onClose}>
      <p className="break-all text-muted">{visible(origin)}</p>
      <Field label="Base branch">
        <Input name="branch" defaultValue={defaultBranch} maxLength={255} />
      </Field>
      <Field
        label="Forge"
        hint="`local` for none; another name for one that is connected by the token below."
      >
        <Input name="forge" defaultValue={forge} maxLength={63} pattern="[a-z0-9][a-z0-9._\-]*" />
      </Field>
      <Field label="Address of the forge" hint="Only where it is not the host of the repository.">
        <Input name="url" type="url" maxLength={2000} placeholder="https://example.com/git" />
      </Field>
      <Field
        label="Access token"
        hint="A new one, as after the old one was revoked. It holds for all projects of the forge."
      >
        <Input name="token" type="password" autoComplete="off" />
      </Field>
    </SaveDialog>
  );
}

interface SaveDialogProps {
  title: string;
  word: string;
  onSave: (form: FormData) => Promise<void>;
  onClose: () => void;
  children: ReactNode;
}

function SaveDialog({ title, word, onSave, onClose, children }: SaveDialogProps) {
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    try {
      await onSave(new FormData(event.currentTarget));
      await queries.invalidateQueries({ queryKey: ['project'] });
      await queries.invalidateQueries({ queryKey: ['projects'] });
      onClose();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} className="space-y-3 p-4">
        {children}
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" disabled={busy}>
            {word}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

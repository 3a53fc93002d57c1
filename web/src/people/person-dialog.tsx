// Makes a person, or changes one: the address of email, a role in all projects, and roles in single ones.
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { NewPerson, Person, PersonPatch, PersonRole } from '../../../protocol/person.ts';
import type { Project } from '../../../protocol/project.ts';
import { get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input, Select } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';

const ROLES: [PersonRole | '', string][] = [
  ['', 'none'],
  ['viewer', 'viewer: reads'],
  ['operator', 'operator: tasks, changes, projects'],
  ['admin', 'admin: everything'],
];

interface PersonDialogProps {
  /** Who is changed; a new person when left out. */
  person?: Person;
  onClose: () => void;
  onMade?: (made: NewPerson) => void;
}

/** The dialog. */
export function PersonDialog({ person, onClose, onMade }: PersonDialogProps) {
  const projects = useQuery({ queryKey: ['projects'], queryFn: () => get<Project[]>('/projects') });
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const names = [
    ...new Set([...Object.keys(person?.projects ?? {}), ...(projects.data ?? []).map(({ name }) => name)]),
  ].toSorted();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const email = ((given.get('email') as string | null) ?? '').trim() || null;
    const roleAt = (field: string) => ((given.get(field) as string) || null) as PersonRole | null;
    const single = names.map((name) => [name, roleAt(`in ${name}`)] as const);
    setBusy(true);
    try {
      if (person === undefined) {
        const made = await send<NewPerson>('POST', '/people', {
          name: (given.get('name') as string).trim(),
          role: roleAt('role'),
          projects: Object.fromEntries(single.filter(([, role]) => role !== null)),
          email,
        });
        onMade?.(made);
      } else {
        const changed = single.filter(([name, role]) => role !== (person.projects[name] ?? null));
        const patch: PersonPatch = {
          role: roleAt('role'),
          projects: Object.fromEntries(changed),
          ...(person.emailByProvider || email === person.email ? {} : { email }),
        };
        await send('PATCH', `/people/${person.name}`, patch);
        toast(`${person.name} is changed.`);
        onClose();
      }
      await queries.invalidateQueries({ queryKey: ['person'] });
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={person === undefined ? 'New person' : `Edit ${person.name}`} onClose={onClose}>
      <form onSubmit={submit} className="space-y-4 p-4">
        {person === undefined && (
          <Field label="Name" hint="Lower-case letters, digits, dots and dashes.">
            <Input
              name="name"
              required
              autoFocus
              autoComplete="off"
              pattern="[a-z0-9][a-z0-9._\-]*"
              maxLength={63}
            />
          </Field>
        )}
        {person?.provider != null && (
          <p className="text-warn">The provider's groups decide anew at each sign-in.</p>
        )}
        <Field label="Email" hint={emailHint(person)}>
          <Input
            name="email"
            type="email"
            maxLength={254}
            autoComplete="off"
            defaultValue={person?.email ?? ''}
            disabled={person?.emailByProvider ?? false}
          />
        </Field>
        <Field label="Role in all projects">
          <RoleSelect name="role" value={person === undefined ? 'viewer' : person.role} />
        </Field>
        {names.length > 0 && (
          <fieldset className="space-y-2">
            <legend className="font-medium">Roles in single projects, besides</legend>
            {names.map((name) => (
              <Field key={name} label={name}>
                <RoleSelect name={`in ${name}`} value={person?.projects[name] ?? null} />
              </Field>
            ))}
          </fieldset>
        )}
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={busy || projects.isPending}>
            {person === undefined ? 'Make the person' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function emailHint(person: Person | undefined): string {
  if (person?.emailByProvider === true) return 'It is that of the provider, and follows it.';
  if (person !== undefined && person.email !== null && !person.emailConfirmed)
    return `${person.name} has not confirmed it yet: nothing is sent to it.`;
  return 'For notifications, if the person wants them. What you set counts as confirmed.';
}

function RoleSelect({ value, ...rest }: { name: string; value: PersonRole | null; id?: string }) {
  return (
    <Select {...rest} defaultValue={value ?? ''}>
      {ROLES.map(([role, label]) => (
        <option key={role} value={role}>
          {label}
        </option>
      ))}
    </Select>
  );
}

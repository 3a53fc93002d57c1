// Secrets that runs of a project may use without holding them: where each goes, and in which variable its placeholder stands.
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { SecretBind, SecretBinding } from '../../../protocol/secret-binding.ts';
import { act } from '../api/act.ts';
import { get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { visible } from '../log/visible.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Part } from '../ui/part.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { mistakeAt } from './mistake.ts';

/** The part; for admins alone, as secrets are. */
export function SecretsPart({ project, mayChange }: { project: string; mayChange: boolean }) {
  const [open, setOpen] = useState(false);
  const { data = [], error } = useQuery({
    queryKey: ['project', project, 'secrets'],
    queryFn: async ({ signal }) => await get<SecretBinding[]>('/secret-bindings', { project }, signal),
  });
  const unbind = async ({ id, secret }: SecretBinding) =>
    await act(
      'project',
      async () => await send('DELETE', `/secret-bindings/${id}`),
      () => `${secret} goes nowhere from there any more.`,
    );
  return (
    <Part
      title="Secrets"
      actions={
        mayChange && (
          <Button look="quiet" aria-label="Bind a secret" onClick={() => setOpen(true)}>
            Bind …
          </Button>
        )
      }
    >
      {error && <Problem error={error} />}
      {data.length === 0 && error === null && (
        <p className="text-muted">
          Its runs use none. One that is bound goes into requests to its host alone; agents see a placeholder.
        </p>
      )}
      <ul className="space-y-1">
        {data.map((binding) => (
          <li key={binding.id} className="flex flex-wrap items-center gap-x-2">
            <span className="font-medium">{binding.secret}</span>
            <span className="min-w-0 break-all">
              as <code>{binding.variable}</code> to <code>{visible(binding.rule)}</code>,{' '}
              {visible(binding.place)}
            </span>
            {binding.project === null && <Badge>all projects</Badge>}
            {mayChange && binding.project !== null && (
              <Button
                look="quiet"
                className="ml-auto"
                aria-label={`Unbind ${binding.secret}`}
                onClick={() => void unbind(binding)}
              >
                Unbind
              </Button>
            )}
          </li>
        ))}
      </ul>
      {open && <BindDialog project={project} onClose={() => setOpen(false)} />}
    </Part>
  );
}

function BindDialog({ project, onClose }: { project: string; onClose: () => void }) {
  const [problem, setProblem] = useState<unknown>();
  const [kept, setKept] = useState<string>(); // a new secret is written once, however often its binding is tried
  const bind = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const text = (name: string) => (given.get(name) as string).trim();
    const [secret, value] = [text('secret'), given.get('value') as string];
    const input: SecretBind = {
      secret,
      project,
      host: text('host'),
      place: text('place'),
      variable: text('variable'),
    };
    try {
      if (value !== '' && kept !== secret) {
        await send('PUT', `/secrets/${encodeURIComponent(secret)}`, { value, expectedVersion: 0 });
        setKept(secret);
      }
      await send<SecretBinding>('POST', '/secret-bindings', input);
      await queries.invalidateQueries({ queryKey: ['project', project] });
      toast(`Runs that begin from now on may use ${secret}.`);
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Dialog title={`Bind a secret for ${project}`} onClose={onClose}>
      <form onSubmit={(event) => void bind(event)} className="space-y-3 p-4">
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label="Secret" hint="Its name, as npm-token." mistake={mistakeAt(problem, 'secret')}>
            <Input name="secret" required autoFocus maxLength={200} autoComplete="off" />
          </Field>
          <Field label="Value" hint="Of a new secret; empty: as the secret store has it.">
            <Input name="value" type="password" maxLength={65536} autoComplete="off" />
          </Field>
          <Field
            label="Host"
            hint="Where it may go, as registry.example.com."
            mistake={mistakeAt(problem, 'host')}
          >
            <Input name="host" required maxLength={300} autoComplete="off" />
          </Field>
          <Field
            label="Place"
            hint="bearer, basic, basic:USER or header:NAME."
            mistake={mistakeAt(problem, 'place')}
          >
            <Input name="place" required defaultValue="bearer" maxLength={200} autoComplete="off" />
          </Field>
          <Field
            label="Variable"
            hint="Of the sandbox; holds the placeholder, as NPM_TOKEN."
            mistake={mistakeAt(problem, 'variable')}
          >
            <Input name="variable" required maxLength={100} pattern="[A-Z_][A-Z0-9_]*" autoComplete="off" />
          </Field>
        </div>
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary">
            Bind it
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

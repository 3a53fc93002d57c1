// My API tokens: what a script of mine may do, never more than I. A part of the account.
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { NewToken, Token } from '../../../protocol/access.ts';
import { get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Ago } from '../ui/ago.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Field, Input, Select } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast, toastProblem } from '../ui/toasts.tsx';
import { Part } from '../ui/part.tsx';

const key = ['person', 'tokens'];

/** The list, and the form for another one. */
export function OwnTokens() {
  const { data, error } = useQuery({ queryKey: key, queryFn: () => get<Token[]>('/own-tokens') });
  const [made, setMade] = useState<NewToken>();
  const [problem, setProblem] = useState<unknown>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const days = given.get('days') as string;
    try {
      setMade(
        await send<NewToken>('POST', '/own-tokens', {
          name: (given.get('name') as string).trim(),
          role: given.get('role'),
          ...(days === '' ? {} : { expiresInDays: Number(days) }),
        }),
      );
      form.reset();
      setProblem(undefined);
      await queries.invalidateQueries({ queryKey: key });
    } catch (failed) {
      setProblem(failed);
    }
  };
  const revoke = async ({ id, name }: Token) => {
    try {
      await send('DELETE', `/own-tokens/${id}`);
      toast(`The token ${name} opens nothing any more.`);
      await queries.invalidateQueries({ queryKey: key });
    } catch (failed) {
      toastProblem(failed);
    }
  };
  const open = data?.filter(({ revokedAt }) => revokedAt === null) ?? [];
  return (
    <Part title="API tokens">
      {error && <Problem error={error} />}
      {made !== undefined && (
        <div role="status" className="mb-4 rounded-md border border-good/40 bg-good/8 px-3 py-2">
          <Field label={`Token ${made.name}`} hint="Shown this once: keep it now.">
            <Input readOnly value={made.token} onFocus={(event) => event.target.select()} />
          </Field>
        </div>
      )}
      {open.length === 0 && (
        <p className="text-muted">
          None yet. A token is for scripts and the CLI of yours, and ends with you.
        </p>
      )}
      <ul className="mb-4 space-y-2">
        {open.map((token) => (
          <li key={token.id} className="flex items-center justify-between gap-3">
            <span className="min-w-0">
              {token.name} <Badge>{token.role}</Badge>{' '}
              <span className="text-sm text-muted">
                {token.lastUsedAt === null ? (
                  'not used yet'
                ) : (
                  <>
                    used <Ago at={token.lastUsedAt} /> ago
                  </>
                )}
                {token.expiresAt !== null && `, until ${new Date(token.expiresAt).toLocaleDateString()}`}
              </span>
            </span>
            <Button look="quiet" aria-label={`Revoke ${token.name}`} onClick={() => void revoke(token)}>
              Revoke
            </Button>
          </li>
        ))}
      </ul>
      <form onSubmit={submit} className="grid items-end gap-3 sm:grid-cols-[2fr_1fr_1fr_auto]">
        <Field label="New token for">
          <Input name="name" required maxLength={100} autoComplete="off" />
        </Field>
        <Field label="At most as">
          <Select name="role" defaultValue="viewer">
            <option>viewer</option>
            <option>operator</option>
            <option>admin</option>
          </Select>
        </Field>
        <Field label="Days">
          <Input name="days" type="number" min={1} max={3650} placeholder="for ever" />
        </Field>
        <Button type="submit">Make</Button>
      </form>
      {problem !== undefined && <Problem error={problem} />}
    </Part>
  );
}

// My own sign-in: where I am signed in, my API tokens, my password.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import type { Session } from '../../../protocol/person.ts';
import { get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { useUser } from '../session/session.ts';
import { PasswordFields, passwordsIn } from '../sign-in/password-fields.tsx';
import { Ago } from '../ui/ago.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast, toastProblem } from '../ui/toasts.tsx';
import { OwnTokens } from './own-tokens.tsx';
import { Part } from '../ui/part.tsx';

/** The page at `/account`. */
export function AccountPage() {
  const user = useUser();
  if (user === undefined) return null;
  if (!user.person) {
    return (
      <Empty title="You are here with a token">
        <p>
          Sessions, passwords and own tokens belong to people: <code>autocode user create NAME</code> makes
          one.
        </p>
      </Empty>
    );
  }
  return (
    <div className="mx-auto max-w-3xl space-y-6 p-4">
      <h1 className="text-xl font-semibold">{user.name}</h1>
      <Sessions />
      <OwnTokens />
      <Notifications />
      {user.password && <Password />}
    </div>
  );
}

function Notifications() {
  const views = { rules: 'Of what', ways: 'By email, in browsers, and when' };
  return (
    <Part title="What you are told">
      <ul className="flex flex-wrap gap-x-4 gap-y-1">
        {Object.entries(views).map(([view, words]) => (
          <li key={view}>
            <Link to={'/inbox' as '/'} search={{ view } as never} className="text-accent hover:underline">
              {words}
            </Link>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Sessions() {
  const { data, error } = useQuery({
    queryKey: ['person', 'sessions'],
    queryFn: () => get<Session[]>('/own-sessions'),
  });
  const end = async (path: string, told: string) => {
    try {
      await send('DELETE', path);
      toast(told);
      await queries.invalidateQueries({ queryKey: ['person', 'sessions'] });
    } catch (failed) {
      toastProblem(failed);
    }
  };
  const others = data?.some(({ current }) => !current) ?? false;
  return (
    <Part
      title="Where you are signed in"
      actions={
        others && (
          <Button onClick={() => void end('/own-sessions', 'You are signed out everywhere else.')}>
            Sign out everywhere else
          </Button>
        )
      }
    >
      {error && <Problem error={error} />}
      <ul className="space-y-3">
        {data?.map(({ id, address, userAgent, current, lastSeenAt, createdAt }) => (
          <li key={id} className="flex items-start justify-between gap-3">
            <div className="min-w-0">
              <p>
                {address} {current && <Badge tone="good">this one</Badge>}
              </p>
              <p className="truncate text-sm text-muted" title={userAgent}>
                {userAgent}
              </p>
              <p className="text-sm text-muted">
                began <Ago at={createdAt} /> ago, used <Ago at={lastSeenAt} /> ago
              </p>
            </div>
            {!current && (
              <Button
                look="quiet"
                aria-label={`Sign out at ${address}, session ${id}`}
                onClick={() => void end(`/own-sessions/${id}`, 'You are signed out there.')}
              >
                Sign out
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Password() {
  const [mistake, setMistake] = useState<string>();
  const [problem, setProblem] = useState<unknown>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = passwordsIn(form);
    setMistake(given.mistake);
    if (given.mistake !== undefined) return;
    try {
      const current = new FormData(form).get('current');
      await send('PUT', '/own-password', { current, password: given.password });
      form.reset();
      setProblem(undefined);
      toast('The password is changed; other sessions are over.');
      await queries.invalidateQueries({ queryKey: ['person', 'sessions'] });
    } catch (failed) {
      setProblem(failed);
    }
  };
  return (
    <Part title="Password">
      <form onSubmit={submit} className="max-w-sm space-y-4">
        <Field label="Current password">
          <Input name="current" type="password" required autoComplete="current-password" />
        </Field>
        <PasswordFields mistake={mistake} />
        {problem !== undefined && <Problem error={problem} />}
        <Button type="submit">Change the password</Button>
      </form>
    </Part>
  );
}

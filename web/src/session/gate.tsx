// What stands before the page until somebody is signed in. When a session ends under an open page the page stays below it, with all
// that was typed.
import { useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { send } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { openWithToken, sessionQuery, useSession } from './session.ts';

/** Shows the page to whoever is signed in, else the way to sign in. */
export function Gate({ children }: { children: ReactNode }) {
  const { data, error, isPending } = useSession();
  const [opened, setOpened] = useState(false);
  if (data && !opened) setOpened(true);
  if (isPending) return <p className="p-6 text-muted">Asking the daemon …</p>;
  if (error) {
    return (
      <main className="mx-auto max-w-xl p-6">
        <Problem error={error} />
      </main>
    );
  }
  return (
    <>
      {opened && <div inert={!data}>{children}</div>}
      {!data && <SignIn again={opened} />}
    </>
  );
}

function SignIn({ again }: { again: boolean }) {
  const cache = useQueryClient();
  const [byToken, setByToken] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const text = (name: string) => (given.get(name) as string | null)?.trim() ?? '';
    setBusy(true);
    try {
      if (byToken) {
        cache.setQueryData(sessionQuery.queryKey, await openWithToken(text('token')));
      } else {
        await send('POST', '/session', { name: text('name'), password: given.get('password') });
        await cache.refetchQueries(sessionQuery);
      }
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="fixed inset-0 z-50 grid place-items-center bg-canvas/90 p-4">
      <form
        onSubmit={submit}
        className="w-full max-w-sm space-y-4 rounded-lg border border-line bg-surface p-6 shadow-raised"
      >
        <div className="flex items-center gap-3">
          <img src="/icon.svg" alt="" className="size-8" />
          <div>
            <h1 className="text-xl font-semibold">Autocode</h1>
            {again && <p className="text-muted">The session has ended. What you typed is still there.</p>}
          </div>
        </div>
        {byToken ? (
          <Field label="API token" hint="From `autocode token create`; kept until this page is closed.">
            <Input name="token" type="password" required autoFocus autoComplete="off" />
          </Field>
        ) : (
          <>
            <Field label="Name">
              <Input name="name" required autoFocus autoComplete="username" />
            </Field>
            <Field label="Password">
              <Input name="password" type="password" required autoComplete="current-password" />
            </Field>
          </>
        )}
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex items-center justify-between">
          <Button type="submit" look="primary" disabled={busy}>
            Sign in
          </Button>
          <Button look="quiet" onClick={() => setByToken(!byToken)}>
            {byToken ? 'Use a password' : 'Use an API token'}
          </Button>
        </div>
      </form>
    </main>
  );
}

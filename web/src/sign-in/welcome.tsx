// The page behind a one-time link: somebody sets a password, and is signed in by it.
import { useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { SignedIn } from '../../../protocol/person.ts';
import { send } from '../api/client.ts';
import { keepSession } from '../session/session.ts';
import { Button } from '../ui/button.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { SignInCard } from './card.tsx';
import { PasswordFields, passwordsIn } from './password-fields.tsx';

/** The page at `/welcome#NAME/CODE`. What is after the # never leaves the browser but to set the password. */
export function Welcome({ onDone }: { onDone: () => void }) {
  const cache = useQueryClient();
  const [{ name, code }] = useState(linkOfAddress);
  const [problem, setProblem] = useState<unknown>();
  const [mistake, setMistake] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = passwordsIn(event.currentTarget);
    setMistake(given.mistake);
    if (given.mistake !== undefined) return;
    setBusy(true);
    try {
      keepSession(cache, await send<SignedIn>('POST', '/welcomes', { code, password: given.password }));
      onDone();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <SignInCard told={`Welcome, ${name}. Set the password that you will sign in with.`}>
      <form onSubmit={submit} className="space-y-4">
        <Field label="Name">
          <Input name="name" value={name} readOnly autoComplete="username" />
        </Field>
        <PasswordFields mistake={mistake} />
        {problem !== undefined && <Problem error={problem} />}
        <Button type="submit" look="primary" disabled={busy}>
          Set the password and sign in
        </Button>
      </form>
    </SignInCard>
  );
}

function linkOfAddress(): { name: string; code: string } {
  const [name = '', code = ''] = window.location.hash.slice(1).split('/');
  return { name: decodeURIComponent(name), code };
}

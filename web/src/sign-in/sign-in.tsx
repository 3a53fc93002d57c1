// Signing in: with name and password, by the OpenID provider where there is one, or with an API token.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { SignedIn, SignInProblem, SignInWays } from '../../../protocol/person.ts';
import { get, send } from '../api/client.ts';
import { keepSession, openWithToken } from '../session/session.ts';
import { Button } from '../ui/button.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { SignInCard } from './card.tsx';

const PROBLEMS: Record<SignInProblem, string> = {
  'no-provider': 'No provider is configured any more. Use a password.',
  'provider-away': 'The provider does not answer. Use a password, or try again later.',
  'sign-in-over': 'That sign-in took too long, or began elsewhere. Try again.',
  'no-role': 'The provider knows you, but you may not use Autocode. Ask an admin for a group that may.',
  failed: 'The sign-in failed. The log of the daemon tells why.',
};

/** The sign-in; `was` is who was signed in before, when a session has ended under an open page. */
export function SignIn({ was }: { was: string | undefined }) {
  const cache = useQueryClient();
  const [byToken, setByToken] = useState(false);
  const [problem, setProblem] = useState<unknown>(problemOfAddress);
  const [busy, setBusy] = useState(false);
  const ways = useQuery({ queryKey: ['sign-in-ways'], queryFn: () => get<SignInWays>('/sign-in-ways') });
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const text = (name: string) => (given.get(name) as string | null)?.trim() ?? '';
    setBusy(true);
    try {
      const session = byToken
        ? await openWithToken(text('token'))
        : await send<SignedIn>('POST', '/session', { name: text('name'), password: given.get('password') });
      // What another person had on the page is not for this one; a token is gone when the page is loaded anew.
      if (was !== undefined && was !== session.user.name && !byToken) return window.location.reload();
      keepSession(cache, session);
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const { pathname, search } = window.location;
  const returnTo = encodeURIComponent(pathname + search);
  return (
    <SignInCard
      told={was === undefined ? undefined : 'The session has ended. What you typed is still there.'}
    >
      {ways.data != null && ways.data.provider !== null && !byToken && (
        <>
          <a
            href={`/api/v1/oidc/authorization?returnTo=${returnTo}`}
            className="block rounded-md border border-accent bg-accent px-2.5 py-1 text-center font-medium text-on-accent hover:brightness-110"
          >
            Sign in with {ways.data.provider}
          </a>
          {was !== undefined && (
            <p className="text-sm text-muted">That loads the page anew: what you typed is lost then.</p>
          )}
          <p className="text-center text-sm text-muted">or with a password of this Autocode</p>
        </>
      )}
      <form onSubmit={submit} className="space-y-4">
        {byToken ? (
          <Field label="API token" hint="From `autocode token create`; kept until this page is closed.">
            <Input key="token" name="token" type="password" required autoFocus autoComplete="off" />
          </Field>
        ) : (
          <>
            <Field label="Name">
              <Input name="name" required autoFocus autoComplete="username" defaultValue={was} />
            </Field>
            <Field label="Password">
              <Input name="password" type="password" required autoComplete="current-password" />
            </Field>
          </>
        )}
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex items-center justify-between">
          <Button
            type="submit"
            look={ways.data?.provider == null || byToken ? 'primary' : 'normal'}
            disabled={busy}
          >
            Sign in
          </Button>
          <Button look="quiet" onClick={() => setByToken(!byToken)}>
            {byToken ? 'Use a password' : 'Use an API token'}
          </Button>
        </div>
      </form>
    </SignInCard>
  );
}

/** What the provider's way back told in the address. */
function problemOfAddress(): Error | undefined {
  const told = new URLSearchParams(window.location.search).get('problem');
  return told !== null && told in PROBLEMS ? new Error(PROBLEMS[told as SignInProblem]) : undefined;
}

// What stands before the page until somebody is signed in. When a session ends under an open page the page stays below it, with all
// that was typed.
import { useLocation, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { SignIn } from '../sign-in/sign-in.tsx';
import { OnTop } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import { useSession } from './session.ts';

const Welcome = lazy(async () => ({ default: (await import('../sign-in/welcome.tsx')).Welcome }));

/** Shows the page to whoever is signed in, else the way to sign in. */
export function Gate({ children }: { children: ReactNode }) {
  const { data, error, isPending } = useSession();
  const [was, setWas] = useState<string>();
  const pathname = useLocation({ select: (location) => location.pathname });
  const navigate = useNavigate();
  const name = data?.user.name;
  if (name !== undefined && name !== was) setWas(name);
  if (pathname === '/welcome') {
    return (
      <Suspense>
        <Welcome onDone={() => void navigate({ to: '/' })} />
      </Suspense>
    );
  }
  if (isPending) return <p className="p-6 text-muted">Asking the daemon …</p>;
  if (error && was === undefined) {
    return (
      <main className="mx-auto max-w-xl p-6">
        <Problem error={error} />
      </main>
    );
  }
  return (
    <>
      {was !== undefined && <div inert={!data}>{children}</div>}
      {!data && (
        <OnTop>
          <SignIn was={was} />
        </OnTop>
      )}
    </>
  );
}

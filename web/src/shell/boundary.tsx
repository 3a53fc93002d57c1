// What is shown in place of a page that failed.
import { useRouter } from '@tanstack/react-router';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/problem.tsx';

/** The failure, and the way to try again. */
export function Boundary({ error, reset }: { error: unknown; reset?: () => void }) {
  const router = useRouter();
  return (
    <div className="mx-auto max-w-xl space-y-3 p-6">
      <Problem error={error} />
      <Button
        onClick={() => {
          reset?.();
          void router.invalidate();
        }}
      >
        Try again
      </Button>
    </div>
  );
}

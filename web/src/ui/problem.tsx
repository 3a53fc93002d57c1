// What went wrong, as the API tells it: what happened, and what to do.
import { ApiError } from '../api/client.ts';
import { Told } from './told.tsx';

/** An error for people. */
export function Problem({ error }: { error: unknown }) {
  const told = error instanceof Error ? error : new Error(String(error));
  const known = told instanceof ApiError ? told : undefined;
  return (
    <div role="alert" className="rounded-md border border-bad/40 bg-bad/8 px-3 py-2">
      <p className="font-medium text-bad">
        <Told words={told.message} />
      </p>
      {known?.remedy !== undefined && (
        <p className="mt-1">
          <Told words={known.remedy} />
        </p>
      )}
      {known?.requestId !== undefined && (
        <p className="mt-1 text-sm text-muted">
          {known.code}, request <code>{known.requestId}</code>
        </p>
      )}
    </div>
  );
}

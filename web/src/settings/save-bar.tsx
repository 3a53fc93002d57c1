// What is changed and not saved: looked through, saved, or thrown away. It stays in sight below the settings.
import { useState } from 'react';
import type { Settings } from '../../../protocol/settings.ts';
import { ApiError } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import { inWords, nextOf, type Draft, type Moved } from './draft.ts';

interface SaveBarProps {
  settings: Settings;
  draft: Draft;
  problem: unknown;
  /** What others have changed meanwhile. */
  moved: Moved[];
  onSave: () => Promise<void>;
  onDiscard: () => void;
}

/** The bar; nothing where nothing is changed. */
export function SaveBar({ settings, draft, problem, moved, onSave, onDiscard }: SaveBarProps) {
  const [isOpen, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  if (draft.size === 0) return null;
  const wrong = [...draft.values()].filter((edit) => 'wrong' in edit).length;
  const save = async () => {
    setBusy(true);
    await onSave();
    setBusy(false);
    setOpen(false);
  };
  return (
    <section
      aria-label="Not saved"
      className="sticky bottom-2 z-20 space-y-2 rounded-lg border border-line bg-raised px-3 py-2 shadow-raised"
    >
      {moved.length > 0 && <MovedKeys moved={moved} draft={draft} />}
      {problem !== undefined && <Refused problem={problem} />}
      <div className="flex flex-wrap items-center justify-end gap-2">
        <p className="mr-auto font-medium" role="status">
          {draft.size === 1 ? '1 change' : `${draft.size} changes`}
          {wrong > 0 && <span className="text-bad">, {wrong} that cannot be saved</span>}
        </p>
        <Button onClick={onDiscard}>Discard</Button>
        <Button look="primary" disabled={wrong > 0} onClick={() => setOpen(true)}>
          Review and save
        </Button>
      </div>
      {isOpen && (
        <Dialog title="What is saved" onClose={() => setOpen(false)} width="wide">
          <div className="space-y-3 p-4">
            <p className="text-muted">
              Into <bdi className="break-all">{settings.file}</bdi>, whose comments stay. It holds from the
              next start of the daemon.
            </p>
            <ul aria-label="Changes" className="divide-y divide-line rounded-md border border-line">
              {[...draft.keys()].map((path) => (
                <Change key={path} path={path} settings={settings} draft={draft} />
              ))}
            </ul>
          </div>
          <div className="sticky bottom-0 flex justify-end gap-2 border-t border-line bg-surface px-4 py-2.5">
            <Button onClick={() => setOpen(false)}>Close</Button>
            <Button look="primary" disabled={busy} onClick={() => void save()} autoFocus>
              Save
            </Button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

function Change({ path, settings, draft }: { path: string; settings: Settings; draft: Draft }) {
  const setting = settings.keys.find((each) => each.path === path);
  const edit = draft.get(path);
  if (setting === undefined || edit === undefined || 'wrong' in edit) return null;
  return (
    <li className="px-3 py-2">
      <p className="font-mono text-sm font-medium break-all">{path}</p>
      <p className="break-words">
        <del className="text-muted">{inWords(nextOf(setting))}</del>
        {' → '}
        {edit.value === undefined ? (
          <>the default: {setting.defaultMeans ?? inWords(setting.default)}</>
        ) : (
          <ins className="no-underline">{inWords(edit.value)}</ins>
        )}
      </p>
    </li>
  );
}

function MovedKeys({ moved, draft }: { moved: Moved[]; draft: Draft }) {
  return (
    <div
      role="alert"
      className="max-h-48 space-y-1 overflow-y-auto rounded-md border border-warn/50 px-3 py-2"
    >
      <p className="font-medium">
        The file was changed meanwhile. Nothing was saved; save again to add yours.
      </p>
      <ul>
        {moved.map(({ path, was, is }) => (
          <li key={path} className="break-words">
            <code>{path}</code>: <bdi>{inWords(was)}</bdi> → <bdi>{inWords(is)}</bdi>
            {draft.has(path) && <span className="text-warn"> (you have changed it too)</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Mistakes stand at their fields too; here are the ways to them. */
function Refused({ problem }: { problem: unknown }) {
  const mistakes = mistakesOf(problem).map((each) => ({
    ...each,
    key: each.path.split(/\.\d+(?:\.|$)/)[0]!,
  }));
  if (mistakes.length === 0) return <Problem error={problem} />;
  return (
    <div
      role="alert"
      className="max-h-48 space-y-1 overflow-y-auto rounded-md border border-bad/40 px-3 py-2"
    >
      <p className="font-medium text-bad">Nothing was saved. To correct:</p>
      <ul>
        {mistakes.map(({ path, message, key }) => (
          <li key={`${path} ${message}`} className="break-words">
            <a href={`#${key}`} className="text-accent underline">
              {path}
            </a>{' '}
            {message}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What the API has against single keys. */
export function mistakesOf(problem: unknown): { path: string; message: string }[] {
  if (!(problem instanceof ApiError)) return [];
  const { mistakes } = (problem.details ?? {}) as { mistakes?: { path: string; message: string }[] };
  return mistakes ?? [];
}

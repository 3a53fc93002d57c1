// What there is to say of the configuration file as a whole: which it is, why it cannot be changed here, what somebody broke in it.
import type { Settings } from '../../../protocol/settings.ts';
import { Told } from '../ui/told.tsx';

/** Which file it is, and what is wrong with it. */
export function FileState({ settings: { file, exists, readOnly, mistakes } }: { settings: Settings }) {
  return (
    <div className="space-y-2">
      <p className="text-muted">
        {exists ? 'Written in' : 'All is by default; the first change makes'}{' '}
        <code className="break-all">{file}</code>. What is saved here holds from the next start of the daemon.
      </p>
      {readOnly !== null && (
        <div role="note" className="rounded-md border border-line bg-sunken px-3 py-2">
          <p className="font-medium">The file cannot be changed here: {readOnly.reason}.</p>
          <p>
            <Told words={readOnly.remedy} />
          </p>
        </div>
      )}
      {mistakes.length > 0 && (
        <div role="alert" className="rounded-md border border-bad/40 bg-bad/8 px-3 py-2">
          <p className="font-medium text-bad">
            The daemon would not start again with what the file says now:
          </p>
          <ul>
            {mistakes.map(({ where, path, message }) => (
              <li key={`${path} ${message}`} className="break-words">
                <bdi>{where.replace(/^.*\//, '')}</bdi>: <code>{path}</code> <bdi>{message}</bdi>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

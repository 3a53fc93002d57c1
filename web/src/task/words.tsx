// The words of agents and people: plain text with code in fences, never markup. Used by the task and review pages.
import { visible } from '../log/visible.ts';

const FENCE = /^ {0,3}(?:```|~~~).*$/m;

/** Text as it is, code in fences set apart. */
export function Words({ text }: { text: string }) {
  const parts = visible(text.trim()).split(FENCE);
  return (
    <div className="space-y-1.5 break-words">
      {parts.map((part, index) =>
        part.trim() === '' ? null : index % 2 === 1 ? (
          <pre
            key={index}
            tabIndex={0}
            className="max-h-80 overflow-auto rounded-md bg-sunken px-2 py-1.5 font-mono text-sm"
          >
            {part.replace(/^\n|\n$/g, '')}
          </pre>
        ) : (
          <p key={index} dir="auto" className="whitespace-pre-wrap">
            {part.trim()}
          </p>
        ),
      )}
    </div>
  );
}

// The words of agents and people: plain text, with code in fences and headings set apart, never markup. Used by the task and review pages.
import { visible } from '../log/visible.ts';
import { Told } from '../ui/told.tsx';
import { partsOf } from './fences.ts';

/** Text as it is, code in fences set apart. */
export function Words({ text }: { text: string }) {
  return (
    <div className="space-y-1.5 break-words">
      {partsOf(visible(text.trim())).map(({ kind, text: part }, index) =>
        kind === 'code' ? (
          <pre
            key={index}
            tabIndex={0}
            className="max-h-80 overflow-auto rounded-md bg-sunken px-2 py-1.5 font-mono text-sm"
          >
            {part}
          </pre>
        ) : (
          <p
            key={index}
            dir="auto"
            className={kind === 'heading' ? 'pt-1 font-semibold' : 'whitespace-pre-wrap'}
          >
            <Told words={part} />
          </p>
        ),
      )}
    </div>
  );
}

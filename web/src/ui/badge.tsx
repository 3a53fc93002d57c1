// A word with a colour that says how it is. The word alone tells it too: no meaning hangs on the colour.
import type { ReactNode } from 'react';

const TONES = {
  neutral: 'bg-sunken text-muted',
  info: 'bg-info/12 text-info',
  good: 'bg-good/12 text-good',
  warn: 'bg-warn/12 text-warn',
  bad: 'bg-bad/12 text-bad',
  review: 'bg-review/12 text-review',
};
export type Tone = keyof typeof TONES;

/** A small label. */
export function Badge({ tone = 'neutral', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className={`inline-block rounded-sm px-1.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}>
      {children}
    </span>
  );
}

// An alarm whose state has changed, as intake hands it over, and what became of it. Used by intake/ and this folder.
import type { Verdict } from '../../protocol/intake.ts';

/** Texts are safe to show to agents: what stems from outside is quoted in them. */
export interface Signal {
  /** They name the alarm, whichever way it came. */
  scope: string;
  subject: string;
  account: string;
  state: 'firing' | 'resolved';
  /** When it came to be so, by its own word. */
  at: Date | null;
  title: string;
  /** For a task that is made of it, and as a message to one that there is. */
  body: string;
  message: string;
  /** The name of its source, and who says so, for tasks and messages. */
  source: string;
  author: string;
  /** The name of the project that its source has for it. */
  project: string | null;
  /** How often a task may be opened again. */
  reopenings: number;
}

/** What became of it; `incident` is where it belongs. */
export interface Taken {
  verdict: Extract<Verdict, 'created' | 'appended' | 'reopened' | 'ignored'>;
  reason: string | null;
  task: number | null;
  incident: number | null;
}

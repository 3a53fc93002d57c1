// What a source makes of a delivery: one thing that somebody wants or says. All text in it is other people's; decide.ts
// delimits it before an agent reads it. Made by sources/, used by the ledger.

export interface WorkItem {
  /**
   * `task`: work is wanted; while a task of the same subject goes on it becomes a message to that one. `message`: something
   * said about a task that exists. `signal`: a state of the subject has changed: it belongs to an incident.
   */
  kind: 'task' | 'message' | 'signal';
  /** Names this very event within the source's scope: the same for webhook and poll, whatever the delivery is called. */
  key: string;
  /** What it is about, as an issue or an alarm: by it later items find the task. */
  subject: string | null;
  /** Who caused it, as the source names them; null: the source itself, which is authentic. */
  actor: string | null;
  /** What was done takes a right at the source, as setting a label does. */
  byRight: boolean;
  /** The text is not from outside: whoever set the source up wrote it. */
  own?: true;
  title: string;
  text: string;
  /** What the text is, in our words and safe to show outside quotes: `the issue https://…`, `the alarm cpu-high`. */
  what: string;
  /** When it happened, by the source's word: what is older than the newest known of its subject changes nothing. */
  at: Date | null;
  /** For `signal`; and the account that it is of, as the source names it: the source itself when left out. */
  state?: 'firing' | 'resolved';
  account?: string;
  /** Why nothing comes of it, where the source knows that already; it is recorded with this reason alone. */
  ignored?: string;
  /** Whose task it becomes, where not the source's project. */
  project?: string;
  priority?: number;
  /** The repository at a forge that it is of; by it the project is found. */
  place?: { forge: string; path: string };
  /** The issue at that place, for the task's origin and the answer to it. */
  issue?: { url: string; number: number };
  /** The pull request at that place that a message is about; its task is found by it. */
  change?: { number: number } | { branch: string } | { commit: string };
}

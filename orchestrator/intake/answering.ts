// What a kind of source fills so that whoever asked for work is told there what became of it. Used by source.ts, answers.ts
// and reactions.ts.
import type { PendingReason, TaskState } from '../../protocol/task.ts';
import type { Source, SourceDeps } from './source.ts';

/** A task of a source, as it is now. */
export interface TaskToTell {
  task: number;
  /** Of the item that it came by. */
  subject: string;
  issue: { forge: string; repository: number; number: number } | null;
  state: TaskState;
  pendingReason: PendingReason | null;
  reason: string | null;
  /** What its newest run means to do, and why its result could not be submitted yet. */
  summary: string | null;
  submission: string | null;
  changes: ChangeToTell[];
  createdAt: Date;
  /** Names the comment; nobody knows it before it is written. */
  mark: string;
}

export interface ChangeToTell {
  id: string;
  title: string;
  url: string;
  state: string;
  passed: number;
  failed: number;
  place: { origin: string; forge: string; branch: string; commit: string };
}

/** Where a task is answered: one comment. Whoever is not there any more gives ERR_NOT_FOUND. */
export interface AnswerPlace {
  /** The id of the comment, where it was written before. */
  earlier(signal: AbortSignal): Promise<string | null>;
  /** Writes it anew, or what stands in it; its id. */
  write(comment: string | null, text: string, signal: AbortSignal): Promise<string>;
  /** What else is told. */
  after?(signal: AbortSignal): Promise<void>;
}

export type Reaction = 'seen' | 'done' | 'failed';
export type AnswerDeps = Pick<SourceDeps, 'db' | 'secret' | 'log' | 'forges'>;

export interface Answers<S> {
  wanted(source: Source<S>): boolean;
  text(told: TaskToTell): string;
  open(source: Source<S>, told: TaskToTell, deps: AnswerDeps): Promise<AnswerPlace>;
  /** Reacts to the comment that an item came by, where it came by one. */
  react?(
    source: Source<S>,
    item: { key: string; subject: string },
    reaction: Reaction,
    deps: AnswerDeps,
    signal: AbortSignal,
  ): Promise<void>;
}

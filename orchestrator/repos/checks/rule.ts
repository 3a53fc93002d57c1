// The shape of a submission check: a difference and the project's settings in, findings out. One rule a file in this folder;
// check.ts runs them all.
import type { SubmissionChecks, SubmissionRule } from '../../../protocol/submission.ts';

/** One file between base and result. Paths are shown with bytes that are not UTF-8 replaced. */
export interface ChangedFile {
  path: string;
  status: 'added' | 'modified' | 'deleted';
  /** As git has it: 100644, 100755, 120000 (symbolic link), 160000 (submodule); null where there is no such side. */
  mode: { before: string | null; after: string | null };
  /** Of the content afterwards; 0 when deleted. */
  bytes: number;
  binary: boolean;
  /** Lines added and removed; 0 when binary. */
  lines: number;
  /** Where a symbolic link points to afterwards; null for anything else. */
  link: string | null;
}

/** The contents of a file on both sides; null where there is none, or where it is beyond the limit asked for. */
export interface Contents {
  path: string;
  before: Buffer | null;
  after: Buffer | null;
}

export interface TreeDiff {
  files: ChangedFile[];
  /** The contents of these files, a batch of bounded size at a time. */
  contents(files: ChangedFile[], limits: { fileBytes: number }): AsyncIterable<Contents[]>;
}

export interface RuleSettings {
  /** Files or folders that the task names; none: anywhere. */
  targetFiles: string[];
  checks: SubmissionChecks;
  /** Texts that give away a secret that is kept, with what each is. */
  live?: ReadonlyMap<string, string>;
}

/** A finding before it is known what its rule does with it. */
export interface RuleFinding {
  /** Null: the whole change. */
  path: string | null;
  reason: string;
  remedy: string;
}

export interface Rule {
  name: SubmissionRule;
  /** The files given are those that the project's list for this rule does not let pass. */
  find(diff: TreeDiff, settings: RuleSettings): RuleFinding[] | Promise<RuleFinding[]>;
}

/** The files that are there afterwards. */
export function present({ files }: TreeDiff): ChangedFile[] {
  return files.filter((file) => file.status !== 'deleted');
}

/** A number of bytes for people. */
export function shownBytes(bytes: number): string {
  if (bytes < 1 << 10) return `${bytes} bytes`;
  return bytes < 1 << 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

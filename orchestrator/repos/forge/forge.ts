// What submission, merging and the look at open changes need of a forge. local.ts has none behind it, gitea.ts a server.
import type { Change } from '../../../protocol/change.ts';
import type { ChangeAtOrigin } from '../changes.ts';

/** A branch that is at the forge already, and the pull request that it shall have. */
export interface Proposal {
  branch: string;
  baseBranch: string;
  commit: string;
  title: string;
  body: string;
  /** Login names, and teams as `organisation/team`. */
  reviewers: string[];
  labels: string[];
  /** Of the commit, one a check. */
  statuses: CommitStatus[];
}

export interface CommitStatus {
  context: string; // as `autocode/test`
  passed: boolean;
  description: string;
}

/** A change as the forge has it. `number` and `url` are null where the forge has no pull requests. */
export interface ForgeChange {
  number: number | null;
  url: string | null;
  state: Change['state'];
  /** Where the branch is now; undefined when that is not known or it is gone. */
  head: string | undefined;
  /** The commit by which it was merged. */
  mergedCommit: string | undefined;
  mergeable: boolean;
}

export interface Proposed extends ForgeChange {
  /** What could not be done and does not stop the change, as a reviewer whom the forge does not know. */
  notes: string[];
}

export interface Forge {
  /** Opens the pull request of a branch, or brings the one that is there up to date. May be repeated. */
  propose(proposal: Proposal, signal?: AbortSignal): Promise<Proposed>;
  /** Changes of one repository as the forge has them now, in their order. */
  read(changes: ChangeAtOrigin[], signal?: AbortSignal): Promise<ForgeChange[]>;
  comment(change: ChangeAtOrigin, text: string): Promise<void>;
  /** Merges an open change into its base branch; one that is merged already is left alone. */
  merge(change: ChangeAtOrigin, signal?: AbortSignal): Promise<void>;
  /** Closes it without merging; its branch stays. */
  close(change: ChangeAtOrigin): Promise<void>;
}

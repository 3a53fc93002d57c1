// What the product needs of a forge. gitea.ts, github.ts and others speak to servers, local.ts has none behind it;
// kinds.ts lists the kinds, and nothing else in the product asks of which kind a forge is.
import type { Change, Review } from '../../../protocol/change.ts';
import type { ForgeKindName, MergeMethod } from '../../../protocol/project.ts';
import type { ActivityQuery, ForgeFact } from './facts.ts';
import type { ChangeAtOrigin } from '../changes.ts';

/** One kind of server. */
export interface ForgeKind {
  name: ForgeKindName;
  /** Whether a public host, as `github.com`, is one of this kind. */
  isHost(host: string): boolean;
  /** Whether the server at an address is of this kind, asked without a credential; throws when it does not answer. */
  recognise(url: string, signal?: AbortSignal): Promise<boolean>;
  /** Repositories may be deeper than `owner/name`. */
  nested: boolean;
  /** Its credential may be that of an App: an id and a private key. */
  apps: boolean;
  hostOf(server: ForgeServer): ForgeHost;
  webhook: ForgeWebhook;
}

/** A forge as it was configured or registered. */
export interface ForgeServer {
  name: string;
  /** As its users see it, without a slash at the end. */
  url: string;
  /** Read anew each time that it is needed: a secret may be changed while it is in use. */
  credential(): Promise<ForgeCredential>;
}

export interface ForgeCredential {
  /** An access token; with an App its private key, as PEM. */
  token: string;
  appId: string | null;
}

/** One server, for all its repositories: its rate limits are heeded by all together. */
export interface ForgeHost {
  /** A repository by its path, as `owner/name`. */
  repository(path: string): Forge;
  /** Repositories that the credential may push to, those of one owner or all. */
  list(filter: { owner?: string | undefined }, signal?: AbortSignal): AsyncIterable<ListedRepository>;
  /** Login names of those who are in a team, as `organisation/team`, or in a group; ERR_NOT_FOUND. */
  members(team: string, signal?: AbortSignal): Promise<string[]>;
  /** User and password with which git reaches a repository by HTTP. */
  gitCredential(path: string): Promise<{ username: string; password: string }>;
}

export interface ListedRepository {
  path: string;
  cloneUrl: string;
  defaultBranch: string;
  archived: boolean;
  private: boolean;
}

/** How deliveries of its webhooks are read. Header names are in small letters. */
export interface ForgeWebhook {
  headers: { delivery: string; event: string; signature: string };
  /** Compares in constant time; the body is as it came. */
  isSigned(body: Buffer, secret: string, signature: string): boolean;
  /** The pull request or the push that a delivery is about; undefined when it is about something else. */
  read(event: string, body: unknown): Told | undefined;
  /** All that a delivery tells; throws where its body is not what the event says. */
  facts(event: string, body: unknown): ForgeFact[];
}

/** What a delivery tells: that something happened to a pull request, or that a branch of a repository was pushed to. */
export type Told = { number: number; branch: string } | { path: string; pushed: string };

/** A branch that is at the forge already, and the pull request that it shall have. */
export interface Proposal {
  branch: string;
  baseBranch: string;
  commit: string;
  title: string;
  body: string;
  /** A new one is opened as a draft; one that is there is made ready when this is false, and else stays what it is. */
  draft: boolean;
  /** Login names, and teams as `organisation/team`. */
  reviewers: string[];
  labels: string[];
  /** Of the commit, one a check. */
  statuses: CommitStatus[];
}

export interface CommitStatus {
  context: string; // as `autocode/test`
  /** Null while it is not known. */
  passed: boolean | null;
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
  /** The branch that it is to be merged into. */
  base: string | undefined;
  /** `no`: it does not merge now, and the forge does not tell why. */
  mergeable: Change['mergeable'] | 'no';
  mergeReason: string | null;
  draft: boolean;
}

/** The same with what people said of it, one entry a person. */
export interface ReviewedChange extends ForgeChange {
  reviews: Review[];
}

export interface Proposed extends ForgeChange {
  /** What could not be done and does not stop the change, as a reviewer whom the forge does not know. */
  notes: string[];
}

export interface ForgeIssue {
  number: number;
  url: string;
  title: string;
  body: string;
  labels: string[];
  author: string;
  state: 'open' | 'closed';
  /** Oldest first. */
  comments: { author: string; body: string }[];
}

/** One repository at its forge. Whatever is refused is an error in the forge's own words, with the remedy. */
export interface Forge {
  /** ERR_FORGE_DENIED where the credential does not allow what submission needs. */
  check(signal?: AbortSignal): Promise<void>;
  /** Opens the pull request of a branch, or brings the one that is there up to date. May be repeated. */
  propose(proposal: Proposal, signal?: AbortSignal): Promise<Proposed>;
  /** Changes of one repository as the forge has them now, in their order. */
  read(changes: ChangeAtOrigin[], signal?: AbortSignal): Promise<ReviewedChange[]>;
  comment(change: ChangeAtOrigin, text: string): Promise<void>;
  /**
   * Merges an open change into its base branch; one that is merged already is left alone. Without a method it is the
   * repository's own. A draft is made ready first. ERR_MERGE_CONFLICT; ERR_FORGE_REFUSED, as by a protected branch.
   */
  merge(change: ChangeAtOrigin, method: MergeMethod | null, signal?: AbortSignal): Promise<void>;
  /** Gives an open pull request the base branch of its change, where it has `from`. May be repeated. */
  retarget(change: ChangeAtOrigin, from: string, signal?: AbortSignal): Promise<void>;
  /** Closes it without merging; its branch stays. */
  close(change: ChangeAtOrigin): Promise<void>;
  /** An issue with its comments; ERR_NOT_FOUND. */
  issue(number: number, signal?: AbortSignal): Promise<ForgeIssue>;
  /** What happened since a time; more may come than was asked for. */
  activity(query: ActivityQuery, signal?: AbortSignal): Promise<ForgeFact[]>;
  /** Sets statuses of a commit that a branch has; those that are as they should be are left alone. */
  tell?(
    at: { commit: string; branch: string },
    statuses: CommitStatus[],
    signal?: AbortSignal,
  ): Promise<void>;
  /** What is said below its issues; undefined where the forge has none. */
  talk?: ForgeTalk;
}

/** A comment, by its number at the forge, below an issue or a pull request. `line`: it stands at a line of a diff. */
export interface CommentPlace {
  number: number;
  onChange: boolean;
  comment: string;
  line: boolean;
}

/** Answers below issues and to comments. ERR_NOT_FOUND where the issue or comment was deleted. */
export interface ForgeTalk {
  /** Comments below an issue since a time, oldest first. */
  comments(issue: number, since: Date, signal?: AbortSignal): Promise<{ id: string; body: string }[]>;
  /** Writes a comment below an issue, or what stands in one of ours; its id. */
  write(issue: number, comment: string | null, text: string, signal?: AbortSignal): Promise<string>;
  /** Reacts to a comment; the same again changes nothing. */
  react(to: CommentPlace, reaction: 'seen' | 'done' | 'failed', signal?: AbortSignal): Promise<void>;
}

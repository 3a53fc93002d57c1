// The one interface that every kind of source fills: a file each in sources/, listed in kinds.ts. A source verifies and
// translates; what becomes of its items is not its business. Bodies are kept sealed and parsed after they were acknowledged,
// so `parse` must give the same items for the same body at any later time.
import type { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Trust, SourceKindName, SourceTest } from '../../protocol/intake.ts';
import type { Queryable } from '../db/connect.ts';
import type { Forges } from '../repos/forge/forges.ts';
import type { Answers } from './answering.ts';
import type { WorkItem } from './work-item.ts';

/** A source as it was added; `settings` were read by its kind's schema. */
export interface Source<S = unknown> {
  name: string;
  kind: SourceKindName;
  project: string | null;
  trust: Trust;
  settings: S;
}

/** A request to a source's address; header names are in small letters. */
export interface HookRequest {
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
  now: Date;
}

/** A delivery that was believed: its name at the source, which it comes again under, and its kind. */
export interface Authentic {
  delivery: string;
  event: string;
}

/** What was delivered, as it came. */
export interface RawDelivery extends Authentic {
  body: Buffer;
}

/** What a source that is asked works with. */
export interface SourceDeps {
  db: Queryable;
  forges: Forges;
  /** The value of a secret by its name; ERR_SECRET. Its own is `secretNameOf(source)`. */
  secret(name: string): Promise<string>;
  log: { warn(message: string, fields?: object): void };
}

export interface SourceKind<S = unknown> {
  name: SourceKindName;
  /** What people are told where they add one; `secret` where it has one of its own. */
  about: { what: string; secret?: string; farSide?: string };
  settings: z.ZodType<S>;
  /** A project must be named with it: nothing in its items tells one. */
  needsProject: boolean;
  /** Within which keys and subjects are one; sources of one forge share them. */
  scope(source: Source<S>): string;
  /** Deliveries are sent to `/api/v1/intake/hooks/{source}`. Throws `notAuthentic(…)`: wrong secret, stale, header missing. */
  verify?(source: Source<S>, request: HookRequest, secret: () => Promise<string>): Promise<Authentic>;
  /** The items of a body that was authentic; throws where it is not what it should be (the delivery is then `failed`). */
  parse(source: Source<S>, delivery: RawDelivery): WorkItem[];
  /**
   * Asked every so often for what came since the cursor. Deliveries and the new cursor are stored in one transaction, so a
   * crash between asks again. `everySeconds` is at least that much.
   */
  poll?: {
    everySeconds(source: Source<S>): number | null;
    via: 'poll' | 'schedule';
    ask(source: Source<S>, cursor: unknown, deps: SourceDeps, signal: AbortSignal): Promise<Polled>;
  };
  /**
   * Waits for messages until the signal, and gives each batch to `accept`, which resolves when they are durable: only then
   * may they be acknowledged. Throws where the source is away; it is called again after a pause that grows.
   */
  receive?(
    source: Source<S>,
    accept: (deliveries: RawDelivery[]) => Promise<void>,
    deps: SourceDeps,
    signal: AbortSignal,
  ): Promise<void>;
  /** Whoever asked for work is told there what became of it. */
  answers?: Answers<S>;
  /** Whether it can be reached and is set up well, for `intake source test`. Starts no work. */
  test?(source: Source<S>, deps: SourceDeps, signal: AbortSignal): Promise<SourceTest['checks']>;
}

export interface Polled {
  deliveries: RawDelivery[];
  cursor: unknown;
  /** What could not be asked, though the rest could. */
  trouble?: string;
}

/** Where a source's own secret is kept. */
export function secretNameOf({ name }: Pick<Source, 'name'>): string {
  return `intake-${name}`;
}

/** Of a delivery that is not believed: nobody learns by it which sources there are, or what is wrong. */
export function notAuthentic(source: string, cause?: unknown): AutocodeError {
  return new AutocodeError(
    'ERR_UNAUTHENTICATED',
    `The delivery is not one that the source ${source} believes.`,
    {
      remedy: `Give both sides the same secret (\`autocode secret set intake-${source}\`), and check their clocks.`,
      cause,
    },
  );
}

// Looks at an address before a project is made of it, and keeps nothing. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { ForgeKindName } from '../../protocol/project.ts';
import type { RepositoryLook, RepositoryLookInput } from '../../protocol/repository-look.ts';
import type { Queryable } from '../db/connect.ts';
import { webAddress } from './forge/address.ts';
import type { Forges } from './forge/forges.ts';
import { recogniseKind } from './forge/kinds.ts';
import type { RepositoryStore } from './mirror.ts';
import { openRepository, repositoryName } from './open.ts';
import { lookInto } from './suggest-verify.ts';

/** What a look needs. */
export interface LookDeps {
  db: Queryable;
  store: Pick<RepositoryStore, 'git'>;
  forges: Pick<Forges, 'choose' | 'known' | 'check'>;
  stopping: AbortSignal;
}

type Seen = Pick<RepositoryLook, 'origin' | 'defaultBranch' | 'verify' | 'file'>;

/** What the address is of, what its files suggest, and what is wrong with it where something is. */
export async function lookAtRepository(
  deps: LookDeps,
  { origin, defaultBranch }: RepositoryLookInput,
): Promise<RepositoryLook> {
  const forge = await deps.forges.choose(origin, undefined);
  const [kind, { seen, problem }] = await Promise.all([
    kindOf(deps, forge, origin),
    tried(deps, { origin, defaultBranch }, forge),
  ]);
  const name = repositoryName(seen.origin) ?? null;
  return { ...seen, name, forge, kind, problem, projects: await projectsWith(deps.db, seen.origin) };
}

async function tried(
  deps: LookDeps,
  input: RepositoryLookInput,
  forge: string,
): Promise<{ seen: Seen; problem: RepositoryLook['problem'] }> {
  try {
    await deps.forges.check({ origin: input.origin, forge });
    return { seen: await read(deps, input), problem: null };
  } catch (error) {
    if (!(error instanceof AutocodeError) || error.code === 'ERR_INVALID_INPUT') throw error;
    return {
      seen: { origin: input.origin, defaultBranch: null, verify: [], file: false },
      problem: { message: error.message, remedy: error.remedy ?? null },
    };
  }
}

async function read({ store }: LookDeps, { origin, defaultBranch }: RepositoryLookInput): Promise<Seen> {
  const opened = await openRepository(store.git, { origin, defaultBranch, allowDirty: true });
  const { verify, file } = await lookInto(store.git, opened);
  return {
    origin: opened.origin,
    defaultBranch: opened.defaultBranch,
    verify,
    file: file.content !== null || file.problems.length > 0,
  };
}

// A forge that does not answer, or is none, is no trouble here: the repository may be reached all the same.
async function kindOf(
  { forges, stopping }: LookDeps,
  forge: string,
  origin: string,
): Promise<ForgeKindName | null> {
  const known = (await forges.known()).find(({ name }) => name === forge);
  if (known !== undefined) return known.kind;
  if (!/^https?:\/\//.test(origin) || URL.parse(origin) === null) return null;
  return await recogniseKind(webAddress(origin), stopping).then(
    ({ name }) => name,
    () => null,
  );
}

async function projectsWith(db: Queryable, origin: string): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `select distinct p.name from repository r join project p on p.id = r.project
      where r.origin = $1 and r.removed_at is null and p.archived_at is null order by p.name`,
    [origin],
  );
  return rows.map(({ name }) => name);
}

// Sources as they were added: rows in the database, their secrets in the secret store. Used by the API, hooks.ts, work.ts and pull.ts.
import { createHash } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import { Trust, type IntakeSource, type SourceInput, type SourceKindName } from '../../protocol/intake.ts';
import type { Queryable } from '../db/connect.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import { readGiven } from './given.ts';
import { kindNamed } from './kinds.ts';
import { secretNameOf, type Source, type SourceKind } from './source.ts';

/** A source with what its kind can do. */
export interface OpenSource {
  source: Source;
  kind: SourceKind;
  paused: boolean;
}

interface SourceRow {
  name: string;
  kind: SourceKindName;
  project: string | null;
  trust: Trust;
  settings: Record<string, unknown>;
  trouble: string | null;
  paused: boolean;
  lookedAt: Date | null;
  createdBy: string;
  createdAt: Date;
  waiting: number;
}

const SELECT = `select s.name, s.kind, p.name as project, s.trust, s.settings, s.trouble, s.paused_at is not null as paused,
    s.looked_at as "lookedAt", s.created_by as "createdBy", s.created_at as "createdAt",
    (select count(*)::int from intake_delivery d where d.source = s.name and d.state = 'waiting') as waiting
  from intake_source s left join project p on p.id = s.project`;

/** Adds a source; its settings are those of its kind. */
export async function addSource(
  { db, secrets }: { db: Queryable; secrets: SecretManager },
  { name, kind, project, trust, settings, secret }: SourceInput,
  actor: string,
): Promise<IntakeSource> {
  const given = await readGiven(db, { name, kind, project, settings });
  const { rowCount } = await db.query(
    `insert into intake_source (name, kind, project, trust, settings, created_by) values ($1, $2, $3, $4, $5, $6)
     on conflict do nothing`,
    [name, kind, given.project, JSON.stringify(trust), JSON.stringify(given.settings), actor],
  );
  if (rowCount === 0) {
    throw new AutocodeError('ERR_CONFLICT', `There is a source ${name} already.`, {
      remedy: `Remove it first (\`autocode intake source remove ${name}\`), or choose another name.`,
    });
  }
  if (secret !== undefined) await secrets.put(secretNameOf({ name }), secret);
  return await getSource(db, name);
}

/** All sources, by name. */
export async function listSources(db: Queryable): Promise<IntakeSource[]> {
  const { rows } = await db.query<SourceRow>(`${SELECT} order by s.name`);
  return await Promise.all(rows.map(shown));
}

/** One source; ERR_NOT_FOUND. */
export async function getSource(db: Queryable, name: string): Promise<IntakeSource> {
  return await shown(await sourceRow(db, name));
}

async function sourceRow(db: Queryable, name: string): Promise<SourceRow> {
  const { rows } = await db.query<SourceRow>(`${SELECT} where s.name = $1`, [name]);
  if (rows[0] !== undefined) return rows[0];
  throw new AutocodeError('ERR_NOT_FOUND', `There is no source ${name}.`, {
    remedy: 'See `autocode intake source list`.',
  });
}

/** Pauses or resumes a source: meanwhile deliveries are kept and not worked on, and nobody is asked. */
export async function pauseSource(db: Queryable, name: string, paused: boolean): Promise<IntakeSource> {
  await db.query(
    `update intake_source set paused_at = case when $2 then coalesce(paused_at, now()) end where name = $1`,
    [name, paused],
  );
  return await getSource(db, name);
}

/** Removes a source with its secret; what it brought stays in the log. */
export async function removeSource(
  { db, secrets }: { db: Queryable; secrets: SecretManager },
  name: string,
): Promise<IntakeSource> {
  const source = await getSource(db, name);
  await db.query('delete from intake_source where name = $1', [name]);
  await secrets.delete(secretNameOf({ name }));
  return source;
}

/** A source as it works; undefined where there is none. */
export async function openSource(db: Queryable, name: string): Promise<OpenSource | undefined> {
  const { rows } = await db.query<Omit<SourceRow, 'waiting'>>({
    name: 'open-source',
    text: `select s.name, s.kind, p.name as project, s.trust, s.settings, s.paused_at is not null as paused
           from intake_source s left join project p on p.id = s.project where s.name = $1`,
    values: [name],
  });
  return rows[0] === undefined ? undefined : await opened(rows[0]);
}

/** All sources that are not paused, as they work. */
export async function openSources(db: Queryable): Promise<OpenSource[]> {
  const { rows } = await db.query<SourceRow>(`${SELECT} where s.paused_at is null order by s.name`);
  return await Promise.all(rows.map(opened));
}

async function opened(
  row: Pick<SourceRow, 'name' | 'kind' | 'project' | 'trust' | 'settings' | 'paused'>,
): Promise<OpenSource> {
  const { name, kind: kindName, project, trust, paused } = row;
  const kind = await kindNamed(kindName);
  const settings = kind.settings.parse(row.settings);
  return { kind, paused, source: { name, kind: kindName, project, trust: Trust.parse(trust), settings } };
}

async function shown({ lookedAt, createdAt, ...row }: SourceRow): Promise<IntakeSource> {
  const hasHook = (await kindNamed(row.kind)).verify !== undefined;
  return {
    ...row,
    version: versionOf(row),
    secretName: secretNameOf(row),
    hook: hasHook ? `/api/v1/intake/hooks/${row.name}` : null,
    lookedAt: lookedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}

// jsonb gives its keys in one order, so that the same is the same whoever has written it.
function versionOf({ project, trust, settings }: Pick<SourceRow, 'project' | 'trust' | 'settings'>): string {
  return createHash('sha256')
    .update(JSON.stringify([project, trust, settings]))
    .digest('base64url')
    .slice(0, 16);
}

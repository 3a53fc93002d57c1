// The egress policy as it is kept: versions of the installation's text and of each project's. Setting it is all or nothing. Used by
// the API and by policy-file.ts, which hands what holds to the proxy.
import { createHash } from 'node:crypto';
import type { EgressPolicy, EgressPolicyChange, EgressPolicyUpdate } from '../../../protocol/egress.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Queryable } from '../../db/connect.ts';
import { emit } from '../../events/outbox.ts';
import { getProject } from '../../tasks/projects.ts';
import { parsePolicy, requireRules, type Presets } from './parse.ts';
import { printRule, type Rule } from './rule.ts';

/** Everybody who waits for a change of the policy listens here. */
export const CHANGED = 'egress';
const TOLD = 50;

/** What holds for everybody: the rules of the projects are for these alone. */
export interface EffectivePolicy {
  /** Newest version and a digest of the rules, which may change with the presets of another release. */
  version: string;
  rules: Rule[];
  /** Projects in record mode, and until when (seconds since 1970). */
  recording: Record<string, number>;
}

interface Kept {
  project: string | null;
  version: number;
  text: string;
  author: string;
  at: Date;
}

const NEWEST = `select distinct on (e.project) p.name as project, e.version::int, e.text, e.author, e.at
  from egress_policy e left join project p on p.id = e.project
  where p.archived_at is null`;

/** All that holds now; or would hold with another text of the installation (null) or of a project. */
export async function effectivePolicy(
  db: Queryable,
  presets: Presets,
  instead?: { project: string | null; text: string },
): Promise<EffectivePolicy> {
  const { rows } = await db.query<Kept>(`${NEWEST} order by e.project nulls first, e.version desc`);
  const others = rows.filter(({ project }) => project !== instead?.project);
  const kept = instead === undefined ? rows : [...others, { ...instead, version: 0 }];
  const { rows: recorded } = await db.query<{ project: string; until: number }>(
    `select p.name as project, extract(epoch from r.until)::float8 as until
     from egress_recording r join project p on p.id = r.project where r.until > now() and p.archived_at is null order by p.id`,
  );
  const rules = unique(kept.flatMap(({ project, text }) => rulesOf(text, project, presets)));
  const recording = Object.fromEntries(recorded.map(({ project, until }) => [project, until]));
  const newest = Math.max(0, ...kept.map(({ version }) => version));
  const digest = createHash('sha256')
    .update(JSON.stringify([rules.map(printRule), recording]))
    .digest('hex');
  return { version: `${newest}-${digest.slice(0, 8)}`, rules, recording };
}

/** The policy of the installation, or of a project. */
export async function readPolicy(
  db: Queryable,
  presets: Presets,
  nameOrId: string | null,
): Promise<EgressPolicy> {
  const { id, name: project } = await projectOf(db, nameOrId);
  const kept = await newest(db, id);
  const { rules } = await effectivePolicy(db, presets);
  const { rows } = await db.query<{ until: Date; author: string }>(
    'select until, author from egress_recording where project = $1 and until > now()',
    [id],
  );
  const recording = rows[0] && { until: rows[0].until.toISOString(), author: rows[0].author };
  return {
    project,
    version: kept?.version ?? 0,
    text: kept?.text ?? '',
    rules: rulesOf(kept?.text ?? '', null, presets).map(printRule),
    effective: rules
      .filter((rule) => project === null || (rule.project ?? project) === project)
      .map(printRule),
    author: kept?.author ?? null,
    at: kept?.at.toISOString() ?? null,
    recording: recording ?? null,
  };
}

/** Puts a text in place of the one before, or tells what that would change; ERR_INVALID_INPUT with all mistakes. In a transaction. */
export async function setPolicy(
  tx: Queryable,
  presets: Presets,
  nameOrId: string | null,
  { text, expectedVersion, dryRun }: Omit<EgressPolicyUpdate, 'project'>,
  author: string,
): Promise<EgressPolicyChange> {
  const { id, name: project } = await projectOf(tx, nameOrId);
  const rules = unique(requireRules(text, presets));
  const foreign = rules.find((rule) => rule.project !== null);
  if (project !== null && foreign !== undefined)
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `A rule of project ${project} names a project itself: ${printRule(foreign)}.`,
      { remedy: 'Leave project= out: the rules of a project hold for it alone.' },
    );
  await tx.query('lock table egress_policy in share row exclusive mode');
  const kept = await newest(tx, id);
  const version = kept?.version ?? 0;
  if (expectedVersion !== undefined && expectedVersion !== version)
    throw new AutocodeError('ERR_CONFLICT', `The policy is version ${version} by now, by ${kept?.author}.`, {
      remedy: 'Look at it with `autocode egress policy show`, and make the change again.',
    });
  const after = new Set(rules.map(printRule));
  const before = new Set(rulesOf(kept?.text ?? '', null, presets).map(printRule));
  const change = { project, added: [...after.difference(before)], removed: [...before.difference(after)] };
  if (dryRun || text === (kept?.text ?? '')) return { ...change, version };
  const { rows } = await tx.query<{ version: number }>(
    'insert into egress_policy (project, text, author) values ($1, $2, $3) returning version::int',
    [id, text, author],
  );
  const made = rows[0]!.version;
  const told = { added: change.added.slice(0, TOLD), removed: change.removed.slice(0, TOLD) };
  const more = moreThan(change.added) + moreThan(change.removed);
  const data = { version: made, author, ...told, ...(more > 0 ? { more } : {}) };
  await emit(tx, { kind: 'egress.policy', ...(id === null ? {} : { project: id }), data });
  await tx.query(`select pg_notify($1, '')`, [CHANGED]);
  return { ...change, version: made };
}

/** Lets a project reach all of the internet for so many hours, to learn from what it does; null ends that. In a transaction. */
export async function setRecording(
  tx: Queryable,
  project: string,
  hours: number | null,
  author: string,
): Promise<{ until: string | null }> {
  const { id } = await getProject(tx, project);
  const until = hours === null ? null : await beginRecording(tx, id, hours, author);
  if (hours === null) {
    const { rowCount } = await tx.query('delete from egress_recording where project = $1', [id]);
    if (rowCount === 0) return { until }; // it was over already
  }
  await emit(tx, { kind: 'egress.recording', project: id, data: { until, author } });
  await tx.query(`select pg_notify($1, '')`, [CHANGED]);
  return { until };
}

async function beginRecording(
  tx: Queryable,
  project: number,
  hours: number,
  author: string,
): Promise<string> {
  const { rows } = await tx.query<{ until: Date }>(
    `insert into egress_recording (project, author, until) values ($1, $2, now() + make_interval(secs => $3::float8 * 3600))
     on conflict (project) do update set until = excluded.until, author = excluded.author returning until`,
    [project, author, hours],
  );
  return rows[0]!.until.toISOString();
}

/** The newest version of the installation's policy (null), or of a project's. */
async function newest(db: Queryable, project: number | null): Promise<Kept | undefined> {
  const { rows } = await db.query<Kept>(
    `${NEWEST} and e.project is not distinct from $1 order by e.project, e.version desc`,
    [project],
  );
  return rows[0];
}

/** The project of a name or id; neither for the installation. */
export async function projectOf(
  db: Queryable,
  nameOrId: string | null,
): Promise<{ id: number; name: string } | { id: null; name: null }> {
  return nameOrId === null ? { id: null, name: null } : await getProject(db, nameOrId);
}

/** Rules of a kept text. A preset that is shipped no more has none; what it allowed is refused. */
export function rulesOf(text: string, project: string | null, presets: Presets): Rule[] {
  const rules = parsePolicy(text, presets).statements.flatMap((statement) => statement.rules);
  return unique(project === null ? rules : rules.map((rule) => ({ ...rule, project })));
}

function unique(rules: Rule[]): Rule[] {
  return [...new Map(rules.map((rule) => [printRule(rule), rule])).values()];
}

const moreThan = (rules: string[]) => Math.max(0, rules.length - TOLD);

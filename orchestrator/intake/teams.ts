// Teams among the actors of a source: who is in them, by the word of its forge, kept for minutes. Whoever cannot be found in one
// is not in it. `keepTeams` is a chore of the scheduler (daemon/intake.ts); trust.ts asks `isInTeam`.
import type { Queryable } from '../db/connect.ts';
import type { SourceDeps } from './source.ts';

const LOOK_SECONDS = 120;
/** For so long the last answer of a forge counts. */
const VALID_MINUTES = 15;

/** `organisation/team`, or a group of GitLab by its path; one without groups above it has a slash at its end. */
export function isTeam(actor: string): boolean {
  return actor.includes('/');
}

/** Asks forges who is in the teams that the actors of their sources name, where the last answer is some minutes old. */
export async function keepTeams(
  { db, forges, log }: Pick<SourceDeps, 'db' | 'forges' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  const { rows } = await db.query<{ source: string; team: string; forge: string }>(
    `select s.name as source, actor as team, s.settings ->> 'forge' as forge
     from intake_source s cross join lateral jsonb_array_elements_text(s.trust -> 'actors') actor
     left join intake_team t on t.source = s.name and t.team = actor
     where s.kind = 'forge' and s.paused_at is null and actor like '%/%'
       and (t.source is null or t.looked_at < now() - make_interval(secs => $1))`,
    [LOOK_SECONDS],
  );
  for (const { source, team, forge } of rows) {
    try {
      await note(db, source, team, { members: await forges.members(forge, team, signal), trouble: null });
    } catch (error) {
      if (signal.aborted) return;
      const trouble = (error as Error).message;
      log.warn(`who is in the team ${team} of the source ${source} could not be found out: ${trouble}`, {
        error,
      });
      await note(db, source, team, { members: null, trouble });
    }
  }
}

async function note(
  db: Queryable,
  source: string,
  team: string,
  { members, trouble }: { members: string[] | null; trouble: string | null },
): Promise<void> {
  await db.query(
    `insert into intake_team (source, team, members, told_at, looked_at, trouble)
     select $1, $2, coalesce($3::text[], '{}'), case when $3::text[] is not null then now() end, now(), $4
      where exists (select from intake_source where name = $1)
     on conflict (source, team) do update set members = coalesce($3::text[], intake_team.members), looked_at = now(), trouble = $4,
       told_at = case when $3::text[] is null then intake_team.told_at else now() end`,
    [source, team, members?.map((name) => name.toLowerCase()) ?? null, trouble?.slice(0, 1000) ?? null],
  );
}

/** Whether somebody is in one of the teams that are named, and of which of them that is not known. */
export async function isInTeam(
  tx: Queryable,
  source: string,
  teams: string[],
  actor: string,
): Promise<{ member: boolean; unknown: string[] }> {
  const { rows } = await tx.query<{ team: string; member: boolean }>(
    `select team, $3 = any(members) as member from intake_team
      where source = $1 and team = any($2) and told_at > now() - make_interval(mins => $4)`,
    [source, teams, actor.toLowerCase(), VALID_MINUTES],
  );
  const known = rows.map(({ team }) => team);
  return {
    member: rows.some(({ member }) => member),
    unknown: teams.filter((team) => !known.includes(team)),
  };
}

// What would miss a forge that is removed. Used by forges.ts.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ForgeUse } from '../../../protocol/forge.ts';
import type { Queryable } from '../../db/connect.ts';

type Used = Pick<ForgeUse, 'projects' | 'changes' | 'sources'>;

interface AtForge {
  origin: string;
  forge: string;
}

/** Projects, open changes of repositories that are in use no more, and sources of a forge; `reaches` says whose token a repository needs. */
export async function useOf(
  db: Queryable,
  name: string,
  reaches: (repository: AtForge) => boolean,
): Promise<Used> {
  const { rows } = await db.query<AtForge & { project: string | null; changes: number[] }>(
    `select case when r.removed_at is null and p.archived_at is null then p.name end as project, r.origin, r.forge,
        array(select c.id from change c where c.repository = r.id and c.state = 'open' order by c.id) as changes
      from repository r join project p on p.id = r.project order by p.name, r.id`,
  );
  const sources = await db.query<{ name: string }>(
    `select name from intake_source where kind = 'forge' and settings ->> 'forge' = $1 order by name`,
    [name],
  );
  const there = rows.filter(reaches);
  return {
    projects: [...new Set(there.flatMap(({ project }) => project ?? []))],
    changes: there.flatMap(({ project, changes }) => (project === null ? changes : [])),
    sources: sources.rows.map((source) => source.name),
  };
}

/** ERR_STATE with all that has to go before, and how. */
export function refuseWhileUsed(name: string, { projects, changes, sources }: Used): void {
  const uses = [
    {
      of: named('project', projects),
      remedy:
        'take the repositories out (`autocode project repo remove`) or archive the projects (`autocode project remove`)',
    },
    { of: named('open change', changes), remedy: 'close the changes (`autocode change close`)' },
    { of: named('source', sources), remedy: 'remove the sources (`autocode intake source remove`)' },
  ].filter(({ of }) => of !== '');
  if (uses.length === 0) return;
  const remedy = uses.map((use) => use.remedy).join('; ');
  throw new AutocodeError(
    'ERR_STATE',
    `The forge ${name} cannot be removed: it is used by ${uses.map(({ of }) => of).join(', ')}.`,
    { remedy: `${remedy[0]!.toUpperCase()}${remedy.slice(1)}.`, details: { projects, changes, sources } },
  );
}

function named(word: string, names: (string | number)[]): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, 10).join(', ') + (names.length > 10 ? ', …' : '');
  return `${names.length === 1 ? word : `${names.length} ${word}s`} ${shown}`;
}

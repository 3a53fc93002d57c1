// Which environment a run has: that of its task (an account's), else its project's own, else that of `.autocode.yaml` at its base, else that of the configuration's map.
// Decided once, at the run's first call. Used by the API, and by tasks/project-environment.ts.
import { HOST_ENVIRONMENT, type RunEnvironment } from '../../protocol/environment.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';

/** Repositories or accounts, and the environment of their projects; the first that matches counts. */
export type EnvironmentMap = { match: string; environment: string }[];

interface RunRow {
  isolation: string;
  decided: RunEnvironment | null;
  own: string | null;
  file: string | null;
  origin: string;
}

/** The environment of a run, recorded with it; undefined for the programs of the worker's machine. May be repeated. */
export async function environmentOfRun(
  db: Queryable,
  run: string,
  map: EnvironmentMap,
): Promise<RunEnvironment | undefined> {
  return await withinTransaction(db, async (tx) => {
    await tx.query('lock table environment in share mode'); // no archive goes that is given out here
    const { rows } = await tx.query<RunRow>(
      `select r.isolation, r.file->>'environment' as file, coalesce(t.environment, p.environment) as own,
         case when r.environment_digest is not null
           then jsonb_build_object('name', r.environment, 'digest', r.environment_digest) end as decided,
         (select o.origin from repository o where o.project = p.id and o.removed_at is null order by o.position limit 1) as origin
       from run r join task t on t.id = r.task join project p on p.id = t.project where r.id = $1`,
      [run],
    );
    const { decided, own, file, origin, isolation } = rows[0]!;
    if (decided !== null) return decided;
    const name = own ?? file ?? mappedEnvironment(map, origin);
    if (name === null || name === HOST_ENVIRONMENT) return undefined;
    if (isolation === 'directory') throw noSandbox(name);
    const found = await tx.query<{ digest: string }>(
      'select digest from current_environment where name = $1',
      [name],
    );
    const digest = found.rows[0]?.digest;
    if (digest === undefined)
      throw missing(
        name,
        own !== null ? 'its project or account' : file !== null ? '.autocode.yaml' : 'environments.map',
      );
    await tx.query('update run set environment = $2, environment_digest = $3 where id = $1', [
      run,
      name,
      digest,
    ]);
    return { name, digest };
  });
}

/** The environment that the configuration has for a repository; null for none. */
export function mappedEnvironment(map: EnvironmentMap, origin: string): string | null {
  const place = placeOf(origin);
  return map.find(({ match }) => matches(match, place))?.environment ?? null;
}

/** `https://github.com/acme/shop.git` and `git@github.com:acme/shop` are `github.com/acme/shop`; a path stays one. */
function placeOf(origin: string): string {
  const [, host, rest] =
    /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^@/]+@)?([^:/]+)(?::\d+)?[:/](.+)$/i.exec(origin) ?? [];
  const place = origin.startsWith('/') || host === undefined ? origin : `${host.toLowerCase()}/${rest}`;
  return place.replace(/\/+$/, '').replace(/\.git$/, '');
}

function matches(pattern: string, place: string): boolean {
  const words = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${words.join('.*')}$`).test(place);
}

function missing(name: string, namedBy: string): AutocodeError {
  return new AutocodeError(
    'ERR_ENVIRONMENT',
    `There is no environment ${name}, which is named by ${namedBy}.`,
    {
      remedy:
        'Import it (`autocode environment import NAME PATH`), or name one of `autocode environment list`.',
    },
  );
}

/** Without a sandbox a run sees the whole machine. */
export function noSandbox(name: string): AutocodeError {
  return new AutocodeError(
    'ERR_ENVIRONMENT',
    `Environment ${name} needs a sandbox, and isolation \`directory\` is none.`,
    {
      remedy: 'Give the project isolation `bubblewrap`, `container` or `gvisor`, or the environment `host`.',
    },
  );
}

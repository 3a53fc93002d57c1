// The difference between the results of two runs. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Run } from '../../protocol/run.ts';
import { diff, diffText, type DiffFormat } from './diff.ts';
import type { RepositoryStore } from './mirror.ts';

/** From one run's result to the other's, in the repositories that both work in; what a run left alone is its base. */
export async function compareRuns(
  store: RepositoryStore,
  from: Run,
  to: Run,
  format: DiffFormat,
): Promise<string> {
  const both = to.repositories.flatMap((there) => {
    const here = from.repositories.find(({ id }) => id === there.id);
    return here === undefined ? [] : [{ here, there }];
  });
  if (both.length === 0) {
    const names = (run: Run) => run.repositories.map(({ name }) => name).join(', ');
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `Runs ${from.id} and ${to.id} work in different repositories (${names(from)}; ${names(to)}).`,
      { remedy: 'Compare two runs of one repository; `autocode run list` shows them.' },
    );
  }
  const texts: string[] = [];
  for (const { here, there } of both) {
    const folder = both.length === 1 ? undefined : there.name;
    const commits = [resultOf(from, here), resultOf(to, there)] as const;
    const text = diffText(await diff(store, there.id, ...commits, { format, folder }));
    texts.push(folder === undefined || format === 'patch' ? text : `${there.name}:\n${text}`);
  }
  return texts.join('');
}

function resultOf(run: Run, { headCommit, baseCommit }: Run['repositories'][number]): string {
  const commit = headCommit ?? baseCommit;
  if (commit !== null) return commit;
  throw new AutocodeError(
    'ERR_STATE',
    `Run ${run.id} has nothing to compare: it is ${run.state} and has no base.`,
    {
      remedy: `See what became of it with \`autocode run show ${run.id}\`.`,
    },
  );
}

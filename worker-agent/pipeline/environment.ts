// The environment of a run, fetched from the orchestrator into the worker's cache. Used by places.ts.
import path from 'node:path';
import type { RunEnvironment } from '../../protocol/environment.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { untilAnswered } from '../api-client.ts';
import type { EnvironmentRoot } from '../sandbox/environment-root.ts';
import { keepEnvironment } from '../workspace/environments.ts';
import { pruneCache } from '../workspace/prune.ts';
import type { Pipeline } from './run-record.ts';

/** The root that the run's programs come from; null for the programs of this machine. */
export async function environmentOf(
  pipeline: Pipeline,
  environment: RunEnvironment | undefined,
): Promise<EnvironmentRoot | null> {
  if (environment === undefined) return null;
  const { api, cacheDir, directory, git, log, order, signal } = pipeline;
  const { name, digest } = environment;
  if (order.isolation === 'directory')
    throw new AutocodeError(
      'ERR_ENVIRONMENT',
      `Environment ${name} needs a sandbox, and isolation \`directory\` is none.`,
      {
        remedy:
          'Give the project isolation `bubblewrap`, `container` or `gvisor`, or the environment `host`.',
      },
    );
  const { made, ...root } = await untilAnswered(
    async () =>
      await keepEnvironment(git, {
        cacheDir,
        environment,
        runDirectory: directory.path,
        download: async () => await api.environment(),
      }),
    signal,
    cutShort,
  );
  if (made) await pruneCache(git, path.dirname(cacheDir), pipeline.workspace.cacheBytes);
  log.event({
    type: 'notice',
    text: `Environment ${name} (${digest.slice(0, 12)})${made ? ', fetched from the orchestrator' : ''}.`,
  });
  return root;
}

// The orchestrator was away, or has ended in the middle.
function cutShort(error: unknown): boolean {
  if (error instanceof AutocodeError) return error.code === 'ERR_DAEMON_NOT_RUNNING';
  return ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes((error as NodeJS.ErrnoException).code ?? '');
}

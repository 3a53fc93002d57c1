// The orchestrator's git address for one run: credentials, and the patience with an orchestrator that is away.
// Used by cache (fetch) and push.
import { AutocodeError } from '../../protocol/errors.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import { untilAnswered } from '../api-client.ts';
import { git, type GitCall, type GitContext } from './git.ts';

export interface Remote {
  url: string;
  /** Settings that carry the run token as a header; they go by environment. */
  config: Record<string, string>;
}

// git's words for: nobody answered, or not to the end.
const AWAY =
  /unable to access|Could not resolve|Connection refused|Connection reset|timed out|HTTP 5\d\d|error: 5\d\d|hung up|early EOF|RPC failed|unexpected disconnect|Empty reply/i;

/** The run's own remote at the orchestrator, of one of its repositories; `caFile` is what git trusts there. */
export function remoteOf(url: string, order: WorkOrder, gitPath: string, caFile?: string): Remote {
  const credentials = Buffer.from(`run:${order.runToken}`).toString('base64');
  return {
    url: url.replace(/\/+$/, '') + gitPath,
    config: {
      'http.extraHeader': `Authorization: Basic ${credentials}`,
      'http.followRedirects': 'false',
      'http.lowSpeedLimit': '1',
      'http.lowSpeedTime': '300',
      'credential.helper': '',
      ...(caFile === undefined ? {} : { 'http.sslCAInfo': caFile }),
    },
  };
}

/** A git command that talks to the orchestrator, repeated while that is away. */
export async function gitRemote(
  context: GitContext,
  remote: Remote,
  args: string[],
  call: GitCall,
): Promise<Buffer> {
  const attempt = async () => {
    try {
      return await git(context, args, { ...call, config: { ...call.config, ...remote.config } });
    } catch (error) {
      if (!(error instanceof AutocodeError) || error.code !== 'ERR_INTERNAL') throw error;
      const words = String((error.details as { stderr?: string } | undefined)?.stderr ?? '');
      // Refusals are answers (401, 403, 404): they do not change by asking again.
      if (AWAY.test(words) && !/error: 4\d\d/.test(words))
        throw new AutocodeError('ERR_DAEMON_NOT_RUNNING', error.message, { cause: error });
      throw new AutocodeError('ERR_REPOSITORY_UNREACHABLE', error.message, { cause: error });
    }
  };
  return await untilAnswered(
    attempt,
    context.signal,
    (error) => error instanceof AutocodeError && error.code === 'ERR_DAEMON_NOT_RUNNING',
  );
}

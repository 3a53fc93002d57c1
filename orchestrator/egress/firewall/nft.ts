// The program nft: what is in force, what would be, and the one transaction that changes it. Used by firewall.ts.
import { execa } from 'execa';
import { AutocodeError } from '../../../protocol/errors.ts';
import { inheritedEnvironment } from '../../config/client-environment.ts';
import { readListing, type Listing } from './listing.ts';
import { TABLE } from './ruleset.ts';

const LONGEST_MS = 30_000;
const LIST = ['nft', '--json', 'list', 'table', 'inet', TABLE];

/** The table as it is in force; null where there is none. */
export async function listInForce(): Promise<Listing | null> {
  const { exitCode, stdout, stderr } = await run(LIST, '');
  if (exitCode === 0) return readListing(stdout);
  if (stderr.includes('No such file or directory')) return null;
  throw refused('The rules in force cannot be listed', stderr);
}

/** The table as it would be: loaded and listed in a network namespace of its own, where it counts for nobody. ERR_FIREWALL where the kernel cannot do it. */
export async function listAsLoaded(ruleset: string): Promise<Listing> {
  const script = `nft --file - && exec ${LIST.join(' ')}`;
  const { exitCode, stdout, stderr } = await run(['unshare', '--net', 'sh', '-c', script], ruleset);
  if (exitCode === 0) return readListing(stdout);
  throw refused('The rules were tried out apart from this host first, and nothing was changed', stderr);
}

/** Changes what is in force, all of it or nothing. */
export async function transact(commands: string): Promise<void> {
  const { exitCode, stderr } = await run(['nft', '--file', '-'], commands);
  if (exitCode !== 0) throw refused('Nothing was changed', stderr);
}

async function run([program = '', ...words]: string[], input: string) {
  const { PATH = '/usr/bin:/bin' } = inheritedEnvironment();
  const result = await execa(program, words, {
    input,
    env: { PATH: `${PATH}:/usr/sbin:/sbin`, LC_ALL: 'C' },
    extendEnv: false,
    reject: false,
    timeout: LONGEST_MS,
  });
  if (result.code === 'ENOENT' || (result.exitCode === 127 && /nft: not found/.test(result.stderr))) {
    throw new AutocodeError('ERR_FIREWALL', 'The firewall needs the programs nft and unshare.', {
      remedy: 'Install them: apt install nftables util-linux',
      cause: result,
    });
  }
  return result;
}

function refused(what: string, said: string): AutocodeError {
  const reason = said.trim().split('\n')[0] ?? '';
  return new AutocodeError('ERR_FIREWALL', `${what}: ${reason || 'nft gave no reason'}.`, {
    remedy:
      'It needs root, a kernel with nf_tables and its modules for nat, redirect and fib (modprobe nft_redir nft_fib_inet nft_ct), and nft 1.0 or newer.',
    details: said,
  });
}

// `autocode worker join`: makes the machine that it is called on a worker of an orchestrator elsewhere.
// Repeatable: whatever step it was interrupted at, the same command finishes it while the invitation lasts.
import { resolve } from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import { AutocodeError } from '../../../protocol/errors.ts';
import { PROTOCOL_VERSION } from '../../../protocol/version.ts';
import { readJoinToken } from '../../workers/join-token.ts';
import type { GlobalArgs } from '../command.ts';
import { duration } from '../format.ts';
import { print, printJson } from '../output.ts';
import { loadSettings } from '../settings.ts';
import { exchange, fetchAuthority } from './orchestrator.ts';
import { machineKey, openSettings, writeSettings } from './settings-files.ts';

/** Checks the authority against the invitation, exchanges that for a token, and writes the worker's settings. */
export async function joinOrchestrator(
  args: GlobalArgs & { orchestrator: string; token: string; name: string | undefined; configDir: string },
): Promise<void> {
  const { fingerprint, secret } = readJoinToken(args.token);
  const url = checkedUrl(args.orchestrator);
  const directory = resolve(args.configDir);
  const name = args.name ?? loadSettings(args).config.worker.name;
  openSettings(directory);
  const authority = await fetchAuthority(url, fingerprint);
  const machine = await machineKey(directory);
  const { joined, skewMs } = await exchange(url, authority, {
    protocol: PROTOCOL_VERSION,
    version: packageJson.version,
    secret,
    machine,
    name,
  });
  const { worker, token } = joined;
  const files = await writeSettings(directory, { url, worker, token, authority });
  if (skewMs !== 0) {
    process.stderr.write(
      `warning: the clock of this machine is ${duration(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} the orchestrator's; let both be set (timedatectl set-ntp true).\n`,
    );
  }
  if (args.json) return printJson({ worker, url, fingerprint, files });
  print(`This machine is worker ${worker} of ${url}.`, ...files.map((file) => `  ${file}`));
  process.stderr.write('Next: sudo systemctl start autocode-worker\n');
}

function checkedUrl(url: string): string {
  if (URL.canParse(url) && url.startsWith('https://')) return new URL(url).origin;
  throw new AutocodeError('ERR_INVALID_INPUT', `"${url}" is no https address.`, {
    remedy: 'Give the command as `autocode worker invite` prints it where the orchestrator runs.',
  });
}

// What this machine's sandbox is worth, from the command line; `autocode worker selftest`, the demo and doctor run it as a child
// process, since the orchestrator imports nothing of the worker.
// usage: node cli.ts selftest|offer [--isolation bubblewrap|container|gvisor] [--json]
// With --json each line is one object: {"finding":…} as they are found, {"offer":…} or {"error":…}.
import { parseArgs } from 'node:util';
import { AutocodeError, ERRORS } from '../../protocol/errors.ts';
import { programPath } from '../config.ts';
import { confinedHost, isConfined } from './confined.ts';
import { offeredIsolations } from './offer.ts';
import { selfTest } from './self-test/full.ts';
import type { Finding } from './self-test/quick.ts';

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      isolation: { type: 'string', default: 'bubblewrap' },
    },
  });
  const say = (object: unknown, text: string) => console.log(values.json ? JSON.stringify(object) : text);
  try {
    if (positionals[0] === 'offer') {
      const offer = await offeredIsolations(programPath());
      say({ offer }, `isolation: ${[offer.isolations.join(', '), offer.missing].filter(Boolean).join('; ')}`);
      return 0;
    }
    const { isolation } = values;
    if (positionals[0] !== 'selftest' || !isConfined(isolation))
      throw new AutocodeError(
        'ERR_INVALID_INPUT',
        'usage: node worker-agent/sandbox/cli.ts selftest|offer [--isolation bubblewrap|container|gvisor] [--json]',
      );
    const findings = await selfTest(await confinedHost(isolation, programPath()), (finding) =>
      say({ finding }, lineOf(finding)),
    );
    return findings.some(({ result }) => result === 'escaped') ? 1 : 0;
  } catch (error) {
    if (!(error instanceof AutocodeError)) throw error;
    const { code, message, remedy } = error;
    say({ error: { code, message, remedy } }, [message, remedy].filter(Boolean).join('\n'));
    return ERRORS[code].exit;
  }
}

function lineOf({ name, result, detail }: Finding): string {
  const mark = { ok: 'ok        ', escaped: 'ESCAPED   ', 'not-tried': 'not tried ' }[result];
  return `${mark} ${name}: ${detail}`;
}

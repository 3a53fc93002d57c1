// `autocode egress ca install`: makes this machine trust the authority of the egress proxy; no daemon is asked.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import { inheritedEnvironment } from '../config/client-environment.ts';
import { openDataDirectory } from '../config/data-directory.ts';
import { readAuthority } from '../egress/authority.ts';
import { egressPlaces } from '../egress/places.ts';
import { installTrust } from '../egress/trust/trust.ts';
import type { GlobalArgs } from './command.ts';
import { print, printJson, table } from './output.ts';
import { loadSettings } from './settings.ts';

interface TrustArgs extends GlobalArgs {
  certificate: string | undefined;
  remove: boolean;
  dryRun: boolean;
}

/** Puts the certificate where programs look for it, or takes it away. */
export async function trustAuthority(args: TrustArgs): Promise<void> {
  const { remove, dryRun } = args;
  const certificate = remove ? '' : await certificateFor(args);
  if (!dryRun && process.geteuid?.() !== 0) {
    throw new AutocodeError('ERR_FORBIDDEN', 'What this machine trusts belongs to root.', {
      remedy: 'Do it with sudo, or look first: --dry-run.',
    });
  }
  const { PATH = '/usr/bin:/bin' } = inheritedEnvironment();
  const path = `${PATH}:/usr/sbin:/sbin`;
  const steps = await installTrust({ certificate, root: '/', remove, dryRun, path });
  if (args.json) return printJson({ dryRun, steps });
  print(
    table(steps, [
      { title: 'WHAT', value: ({ what }) => what },
      { title: dryRun ? 'WOULD BE' : 'IS', value: ({ state }) => state },
      { title: 'WHERE', value: ({ place }) => place },
    ]),
  );
}

async function certificateFor(args: TrustArgs): Promise<string> {
  const { certificate: file } = args;
  const text =
    file === undefined
      ? readAuthority(egressPlaces(openDataDirectory(loadSettings(args).config.dataDir).root).authority)
          ?.certificate
      : await readFile(file, 'utf8');
  if (text === undefined) {
    throw new AutocodeError('ERR_NOT_FOUND', 'There is no authority of an egress proxy here.', {
      remedy: 'Bring the certificate over: `autocode egress ca export` there, --certificate FILE here.',
    });
  }
  try {
    if (new X509Certificate(text).ca) return new X509Certificate(text).toString();
  } catch (cause) {
    throw new AutocodeError('ERR_INVALID_INPUT', `${file} holds no certificate.`, { cause });
  }
  throw new AutocodeError('ERR_INVALID_INPUT', `${file} is no certificate of an authority.`);
}

// `autocode tls show` and `tls rotate`: on the orchestrator's machine, with or without a running daemon.
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import { dataPath } from '../config/data-directory.ts';
import type { Config } from '../config/schema.ts';
import type { TlsSettings } from '../config/tls-settings.ts';
import { rotate, type Identity } from '../tls/authority.ts';
import { fingerprintOf, identityOf, namesOf } from '../tls/identity.ts';
import type { GlobalArgs } from './command.ts';
import { confirm } from './confirm.ts';
import { relativeTime, timestamp } from './format.ts';
import { print, printJson } from './output.ts';
import { loadSettings } from './settings.ts';

/** Shows the certificate of the server and its authority. */
export async function showTls(args: GlobalArgs): Promise<void> {
  const { settings, directory } = opened(args);
  tell(args, settings, await identityOf(directory, settings, new Date()));
}

/** Makes a new certificate, or a new authority with it. */
export async function rotateTls(args: GlobalArgs & { authority: boolean; yes: boolean }): Promise<void> {
  const { settings, directory } = opened(args);
  if (settings.certFile !== undefined) {
    throw new AutocodeError('ERR_STATE', `The certificate is your own, in ${settings.certFile}.`, {
      remedy: 'Replace tls.certFile and tls.keyFile; the daemon serves the new ones within seconds.',
    });
  }
  if (args.authority && !args.yes) {
    await confirm(
      ['Every worker on another machine refuses the new authority until it has joined again.'],
      'Make a new authority?',
      { message: 'A new authority shuts every worker out.', remedy: 'Say --yes if that is meant.' },
    );
  }
  const { authority } = args;
  tell(args, settings, await rotate(directory, namesOf(settings), { now: new Date(), authority }));
}

function opened(args: GlobalArgs): { settings: TlsSettings; directory: string } {
  const { config } = loadSettings(args);
  const settings = configured(config);
  const directory = dataPath(config.dataDir, 'tls');
  if (settings.certFile !== undefined || existsSync(join(directory, 'authority.pem')))
    return { settings, directory };
  throw new AutocodeError('ERR_NOT_FOUND', `There is no authority in ${directory} yet.`, {
    remedy: 'The daemon makes one when it is first started with `tls` configured.',
  });
}

function configured({ tls }: Config): TlsSettings {
  if (tls !== undefined) return tls;
  throw new AutocodeError('ERR_CONFIG', '`tls` is not configured here.', {
    remedy: 'Write `tls: {}` into the configuration file, or look with the --config of the daemon.',
  });
}

function tell({ json }: GlobalArgs, { certFile }: TlsSettings, { certificate, authority }: Identity): void {
  const server = new X509Certificate(certificate);
  const above = new X509Certificate(authority);
  const shown = {
    own: certFile === undefined,
    names: (server.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, '')),
    validFrom: new Date(server.validFrom).toISOString(),
    validUntil: new Date(server.validTo).toISOString(),
    sha256: fingerprintOf(certificate),
    authority: {
      name: above.subject.replace(/^CN=/, ''),
      validUntil: new Date(above.validTo).toISOString(),
      sha256: fingerprintOf(authority),
    },
  };
  if (json) return printJson(shown);
  const until = (at: string) => `${timestamp(at)} UTC (${relativeTime(at)})`;
  print(
    `certificate  for ${shown.names.join(', ')}`,
    `             until ${until(shown.validUntil)}${shown.own ? ', renewed by itself' : ', your own'}`,
    `             SHA-256 ${shown.sha256}`,
    `authority    ${shown.authority.name}`,
    `             until ${until(shown.authority.validUntil)}`,
    `             SHA-256 ${shown.authority.sha256}`,
  );
}

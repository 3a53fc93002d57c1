// `autocode egress setup|proxy` and `autocode egress ca …`: what belongs to the egress proxy on this machine; no daemon is asked.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import { inheritedEnvironment } from '../config/client-environment.ts';
import { openDataDirectory } from '../config/data-directory.ts';
import { ensureAuthority, newAuthority, readAuthority, type Authority } from '../egress/authority.ts';
import { proxyCommand } from '../egress/mitmdump.ts';
import { egressPlaces } from '../egress/places.ts';
import { Exit, type GlobalArgs } from './command.ts';
import { block, print, printJson } from './output.ts';
import { loadSettings } from './settings.ts';

const INSTALL = join(import.meta.dirname, '../../scripts/servers/mitmproxy/install');

/** Installs mitmproxy for this data directory, and makes the authority. */
export async function setUpEgress(args: GlobalArgs): Promise<void> {
  const { places } = open(args);
  await run(INSTALL, [places.mitmproxy]);
  const authority = await ensureAuthority(places.authority);
  if (args.json) return printJson(shown(authority));
  print(
    `mitmproxy is installed in ${places.mitmproxy}, the authority is made.`,
    'Runs get their way out with `egress.proxy: true` in the configuration; what they may reach there says `autocode egress policy`.',
  );
}

/** Is the proxy: what autocode-proxy.service starts. */
export async function runProxy(args: GlobalArgs): Promise<void> {
  const { settings, places } = open(args);
  if (settings.port === 'auto') {
    throw new AutocodeError('ERR_CONFIG', 'A proxy that is a service of its own needs a port.', {
      remedy: 'Set `egress.port` and `egress.service: true`.',
    });
  }
  await mkdir(places.spool, { recursive: true, mode: 0o750 });
  await ensureAuthority(places.authority);
  const { program, arguments: words } = proxyCommand(settings, places, settings.port);
  await run(program, words);
}

/** Makes the authority, once. */
export async function initAuthority(args: GlobalArgs): Promise<void> {
  tell(args, await ensureAuthority(open(args).places.authority));
}

/** Shows the authority. */
export async function showAuthority(args: GlobalArgs): Promise<void> {
  tell(args, known(open(args).places.authority));
}

/** Makes a new authority in the place of the old one. */
export async function rotateAuthority(args: GlobalArgs): Promise<void> {
  const authority = await newAuthority(open(args).places.authority);
  tell(args, authority);
  if (!args.json)
    print(
      'The proxy takes it up when it is started again; runs that go on trust the old one until they end.',
    );
}

/** Writes the certificate, never the key, to a file or to stdout. */
export async function exportAuthority(args: GlobalArgs & { file: string | undefined }): Promise<void> {
  const { certificate } = known(open(args).places.authority);
  if (args.file === undefined) process.stdout.write(certificate);
  else await writeFile(args.file, certificate, { mode: 0o644 });
}

function open(args: GlobalArgs) {
  const { config } = loadSettings(args);
  return { settings: config.egress, places: egressPlaces(openDataDirectory(config.dataDir).root) };
}

function known(directory: string): Authority {
  const authority = readAuthority(directory);
  if (authority !== null) return authority;
  throw new AutocodeError('ERR_NOT_FOUND', `There is no authority in ${directory} yet.`, {
    remedy: 'Make it with `autocode egress ca init`.',
  });
}

const shown = ({ subject, fingerprint, validTo }: Authority) => ({ subject, fingerprint, validTo });

function tell(args: GlobalArgs, authority: Authority): void {
  if (args.json) return printJson(shown(authority));
  print(
    block([
      ['subject', authority.subject],
      ['SHA-256', authority.fingerprint],
      ['until', authority.validTo],
    ]),
  );
}

// With this terminal; what is sent to us alone, as by a service manager, is passed on.
async function run(program: string, words: string[]): Promise<void> {
  if (!existsSync(program)) throw new AutocodeError('ERR_NOT_FOUND', `There is no ${program}.`);
  const ignore = () => {};
  const child = spawn(program, words, { stdio: 'inherit', env: inheritedEnvironment() });
  const passOn = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on('SIGINT', ignore).on('SIGTERM', passOn).on('SIGHUP', passOn);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (code !== 0 && signal !== 'SIGTERM' && signal !== 'SIGINT') throw new Exit(code ?? 1);
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', passOn).off('SIGHUP', passOn);
  }
}

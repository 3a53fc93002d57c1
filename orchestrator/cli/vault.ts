// `autocode secret setup`, `unseal` and `move`: what concerns the Vault of this installation. They work without the daemon.
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import { dataPath, openDataDirectory } from '../config/data-directory.ts';
import type { Config } from '../config/schema.ts';
import { takeVaultToken } from '../config/vault-environment.ts';
import { fileSecrets } from '../secrets/file.ts';
import { moveSecrets } from '../secrets/move.ts';
import { isOwnKey, openVault, vaultLogin } from '../secrets/open.ts';
import type { GlobalArgs } from './command.ts';
import { print, printJson, table } from './output.ts';
import { askHidden } from './secret-value.ts';
import { loadSettings } from './settings.ts';
import { readText } from './task/add.ts';

type SetupArgs = GlobalArgs & {
  shares: number;
  threshold: number;
  auditFile: string;
  certificates: boolean;
  rotate: boolean;
};

/** Makes Vault ready for Autocode, or finishes what an earlier call has left. */
export async function setup(args: SetupArgs): Promise<void> {
  const token = takeVaultToken();
  const { config } = loadSettings(args);
  const login = vaultLogin(config);
  const { shares, threshold, auditFile, json } = args;
  checkShares(shares, threshold);
  const directory = openDataDirectory(config.dataDir).path('config/vault');
  if (args.certificates || login.caFile === join(directory, 'ca.crt')) await certificates(config, args);
  if (args.certificates) return;
  if (args.rotate) return await rotate(config, args);
  const { setUpVault } = await import('../secrets/vault/setup.ts');
  const shown: { shares: string[]; threshold: number }[] = [];
  const done = await setUpVault({
    login: { ...login, token },
    shares,
    threshold,
    auditFile,
    directory,
    show: (keys) => {
      shown.push(keys);
      if (json) printJson({ address: login.address, ...keys });
      else printShares(keys);
    },
  });
  if (json && shown.length === 0) printJson({ address: login.address, done });
  if (json) return;
  print(
    done.length === 0
      ? `Vault at ${login.address} is set up: nothing was to be done.`
      : `Vault at ${login.address} is ready: ${done.join(', ')}.`,
  );
}

/** Gives Vault its key shares until it is open. */
export async function unseal(args: GlobalArgs & { file: string | undefined }): Promise<void> {
  takeVaultToken();
  const login = vaultLogin(loadSettings(args).config);
  const { vaultClient } = await import('../secrets/vault/client.ts');
  const { giveShare } = await import('../secrets/vault/setup.ts');
  const client = await vaultClient(login);
  try {
    const given =
      args.file !== undefined || !process.stdin.isTTY ? readText(args.file ?? '-').split('\n') : undefined;
    const next = async () =>
      given?.shift() ?? (given ? undefined : await askHidden('Key share (not shown): '));
    for (let share = await next(); share !== undefined; share = await next()) {
      if (share.trim() === '' || !(await giveShare(client.call, share.trim()))) continue;
      if (args.json) printJson({ address: login.address, sealed: false });
      else print(`Vault at ${login.address} is unsealed. What waited for it goes on by itself.`);
      return;
    }
    throw new AutocodeError(
      'ERR_STATE',
      `Vault at ${login.address} is still sealed: more key shares are needed.`,
      {
        remedy: 'Call this again with the others; those that were given count.',
      },
    );
  } finally {
    await client.close();
  }
}

/** Brings the secrets that are sealed in the data directory to Vault. */
export async function move(args: GlobalArgs): Promise<void> {
  const { config } = loadSettings(args);
  const vault = await openVault(config);
  try {
    const files = fileSecrets(dataPath(config.dataDir, 'secrets'));
    const moved = await moveSecrets(files, vault, (name) => !isOwnKey(name));
    if (args.json) return printJson(moved);
    if (moved.length === 0) return print('No secrets are sealed in the data directory but its own keys.');
    print(
      table(moved, [
        { title: 'NAME', value: ({ name }) => name },
        { title: 'WHAT', value: ({ what }) => what },
      ]),
    );
  } finally {
    await vault.close();
  }
}

async function certificates(config: Config, { json, certificates: alone }: SetupArgs): Promise<void> {
  const { vaultCertificate } = await import('../secrets/vault/certificate.ts');
  const directory = openDataDirectory(config.dataDir);
  const { address } = vaultLogin(config);
  const made = await vaultCertificate(directory.path('config/vault'), directory.path('tls'), {
    address,
    now: new Date(),
  });
  if (alone && json) return printJson(made);
  if (alone || (made.made && !json))
    print(
      `The certificate of Vault is ${made.certFile}, its key ${made.keyFile}, their authority ${made.caFile}.`,
    );
}

async function rotate(config: Config, { json }: SetupArgs): Promise<void> {
  const login = { ...vaultLogin(config), token: takeVaultToken() };
  const { vaultSession } = await import('../secrets/vault/session.ts');
  const { renewCredentials } = await import('../secrets/vault/credentials.ts');
  const session = vaultSession(login);
  try {
    await renewCredentials(session.call, login);
  } finally {
    await session.close();
  }
  if (json) return printJson({ address: login.address, rotated: true });
  print(`Autocode has a new secret id in ${login.secretIdFile}; all older ones are destroyed.`);
}

function printShares({ shares, threshold }: { shares: string[]; threshold: number }): void {
  print(
    `The key shares of Vault, shown this once. ${threshold} of these ${shares.length} unseal it after every start; without them all`,
    'its secrets are lost. Give each to another person, and keep none on this machine.',
    '',
    ...shares.map((share, index) => `  ${index + 1}  ${share}`),
    '',
  );
}

function checkShares(shares: number, threshold: number): void {
  if (threshold <= shares && (threshold > 1 || shares === 1)) return;
  throw new AutocodeError('ERR_INVALID_INPUT', `${threshold} of ${shares} key shares cannot unseal Vault.`, {
    remedy: 'Let --threshold be at least 2 and at most --shares; or both 1.',
  });
}

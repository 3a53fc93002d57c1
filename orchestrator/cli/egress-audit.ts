// `autocode egress audit setup` and `autocode egress kibana import`: they work without the daemon.
import { AutocodeError } from '../../protocol/errors.ts';
import type { AuditSettings } from '../config/audit-settings.ts';
import { requireSecret, type SecretManager } from '../secrets/secret-manager.ts';
import { openSecrets } from '../secrets/open.ts';
import type { GlobalArgs } from './command.ts';
import { block, print, printJson } from './output.ts';
import { loadSettings } from './settings.ts';

const WORDS = {
  same: 'as it should be',
  made: 'made',
  changed: 'changed',
  missing: 'not known to this server',
};
const WOULD = { ...WORDS, made: 'would be made', changed: 'would be changed' };

/** Puts lifecycle policy, index template and alias into Elasticsearch. */
export async function setUpAudit(args: GlobalArgs & { dryRun: boolean }): Promise<void> {
  await withAudit(args, async (settings, secrets) => {
    const { openSearch } = await import('../egress/audit/client.ts');
    const { setUpAudit: setUp } = await import('../egress/audit/setup.ts');
    const search = openSearch(settings, secrets);
    try {
      const steps = await setUp(search, { dryRun: args.dryRun });
      if (args.json) return printJson(steps);
      const words = args.dryRun ? WOULD : WORDS;
      print(block(steps.map(({ what, state }) => [what, words[state]])));
    } finally {
      await search.close();
    }
  });
}

/** Imports the dashboard into Kibana. */
export async function importKibana(args: GlobalArgs & { kibana: string | undefined }): Promise<void> {
  await withAudit(args, async (settings, secrets) => {
    const url = args.kibana ?? settings.kibanaUrl;
    if (url === undefined)
      throw new AutocodeError('ERR_CONFIG', 'No Kibana is named.', {
        remedy: 'Set egress.audit.kibanaUrl, or use --kibana.',
      });
    const { importSavedObjects } = await import('../egress/audit/kibana.ts');
    const authorization = await authorizationOf(settings, secrets);
    const imported = await importSavedObjects({ url, authorization, caFile: settings.caFile });
    if (args.json) return printJson({ url, imported });
    print(
      `${imported} objects are in Kibana at ${url}: see its dashboard "Autocode: what leaves the building".`,
    );
  });
}

async function withAudit(
  args: GlobalArgs,
  work: (settings: AuditSettings, secrets: SecretManager) => Promise<void>,
): Promise<void> {
  const { config } = loadSettings(args);
  const settings = config.egress.audit;
  if (settings === undefined)
    throw new AutocodeError('ERR_CONFIG', 'egress.audit is not set.', {
      remedy: 'Set egress.audit.url to the address of Elasticsearch (docs/audit.md).',
    });
  const secrets = await openSecrets(config);
  try {
    await work(settings, secrets);
  } finally {
    await secrets.close();
  }
}

async function authorizationOf(
  { apiKeySecret, username, passwordSecret }: AuditSettings,
  secrets: SecretManager,
): Promise<string | undefined> {
  if (apiKeySecret !== undefined) return `ApiKey ${await requireSecret(secrets, apiKeySecret)}`;
  if (username === undefined || passwordSecret === undefined) return undefined;
  const password = await requireSecret(secrets, passwordSecret);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

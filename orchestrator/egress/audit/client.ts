// The connection to Elasticsearch: the only file that makes its client, whose import takes a third of a second. Credentials are read
// from the secrets for each connection, and a connection is made anew when they are refused. Used by the rest of this folder.
import { readFileSync } from 'node:fs';
import type { Client } from '@elastic/elasticsearch';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { AuditSettings } from '../../config/audit-settings.ts';
import { requireSecret, type SecretManager } from '../../secrets/secret-manager.ts';
import { searchFailure } from './failure.ts';

export interface Search {
  settings: AuditSettings;
  /** Calls it, with the options for every call; throws an AutocodeError (failure.ts). */
  ask<T>(question: (client: Client, options: { signal?: AbortSignal }) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const ANSWER_MS = 30_000;

/** A connection that is made with the first question; the signal ends what is under way. */
export function openSearch(settings: AuditSettings, secrets: SecretManager, signal?: AbortSignal): Search {
  const options = signal === undefined ? {} : { signal };
  let client: Promise<Client> | undefined;
  const drop = async () => {
    const dropped = client;
    client = undefined;
    await (await dropped?.catch(() => undefined))?.close();
  };
  return {
    settings,
    async ask(question) {
      client ??= connect(settings, secrets);
      try {
        return await question(await client, options);
      } catch (error) {
        const failure = searchFailure(error, settings);
        if (failure.code !== 'ERR_ELASTICSEARCH_REFUSED') await drop();
        throw failure;
      }
    },
    close: drop,
  };
}

async function connect(settings: AuditSettings, secrets: SecretManager): Promise<Client> {
  const { url, caFile } = settings;
  const auth = await credentials(settings, secrets);
  const { Client } = await import('@elastic/elasticsearch');
  return new Client({
    node: url,
    maxRetries: 0, // whoever asks knows when to try again
    requestTimeout: ANSWER_MS,
    ...(auth && { auth }),
    ...(caFile !== undefined && { tls: { ca: readAuthority(caFile) } }),
  });
}

async function credentials(
  { apiKeySecret, username, passwordSecret }: AuditSettings,
  secrets: SecretManager,
): Promise<{ apiKey: string } | { username: string; password: string } | undefined> {
  if (apiKeySecret !== undefined) return { apiKey: await requireSecret(secrets, apiKeySecret) };
  if (username === undefined || passwordSecret === undefined) return undefined;
  return { username, password: await requireSecret(secrets, passwordSecret) };
}

function readAuthority(caFile: string): Buffer {
  try {
    return readFileSync(caFile);
  } catch (cause) {
    throw new AutocodeError(
      'ERR_CONFIG',
      `The authority of Elasticsearch cannot be read: ${(cause as Error).message}.`,
      {
        remedy: 'Correct egress.audit.caFile.',
        cause,
      },
    );
  }
}

// Takes data view, searches and dashboard (kibana/traffic.ndjson) into a Kibana, by its API for saved objects. What is there of them is
// replaced. Used by `egress kibana import`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, fetch, FormData } from 'undici';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { tlsFailure } from '../../../protocol/tls-failure.ts';

export const SAVED_OBJECTS = join(import.meta.dirname, '../../../kibana/traffic.ndjson');

export interface KibanaAddress {
  url: string;
  /** The value of the header; without one nobody is logged in. */
  authorization: string | undefined;
  caFile: string | undefined;
}

const Answer = z.object({
  success: z.boolean(),
  successCount: z.int(),
  errors: z.array(z.object({ id: z.string(), error: z.object({ type: z.string() }) })).default([]),
});

const ANSWER_MS = 60_000;

/** Imports all objects; tells how many. */
export async function importSavedObjects({ url, authorization, caFile }: KibanaAddress): Promise<number> {
  const form = new FormData();
  form.set('file', new Blob([readFileSync(SAVED_OBJECTS)], { type: 'application/ndjson' }), 'traffic.ndjson');
  const dispatcher = new Agent(caFile === undefined ? {} : { connect: { ca: readFileSync(caFile) } });
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/api/saved_objects/_import?overwrite=true`, {
      method: 'POST',
      body: form,
      headers: { 'kbn-xsrf': 'autocode', ...(authorization && { authorization }) },
      signal: AbortSignal.timeout(ANSWER_MS),
      dispatcher,
    });
    const text = await response.text();
    if (!response.ok) throw refusal(url, response.status, text);
    const { success, successCount, errors } = Answer.parse(JSON.parse(text));
    if (success) return successCount;
    const which = errors.map(({ id, error }) => `${id} (${error.type})`).join(', ');
    throw new AutocodeError('ERR_ELASTICSEARCH_REFUSED', `Kibana at ${url} did not take ${which}.`, {
      remedy: 'Kibana must be of version 8.8 or newer.',
    });
  } catch (error) {
    throw failure(url, error);
  } finally {
    await dispatcher.close();
  }
}

function refusal(url: string, status: number, text: string): AutocodeError {
  if (status === 401 || status === 403)
    return new AutocodeError('ERR_ELASTICSEARCH_DENIED', `Kibana at ${url} does not permit it (${status}).`, {
      remedy:
        'Let egress.audit name an API key or user with all privileges on saved objects (docs/audit.md).',
    });
  return new AutocodeError(
    'ERR_ELASTICSEARCH_REFUSED',
    `Kibana at ${url} answers ${status}: ${text.slice(0, 200)}`,
    {
      remedy: 'See that egress.audit.kibanaUrl, or --kibana, is a Kibana that is ready.',
    },
  );
}

function failure(url: string, error: unknown): AutocodeError {
  if (error instanceof AutocodeError) return error;
  if (error instanceof SyntaxError || error instanceof z.ZodError)
    return new AutocodeError('ERR_ELASTICSEARCH_REFUSED', `What answers at ${url} is no Kibana.`, {
      remedy: 'Correct egress.audit.kibanaUrl, or --kibana.',
      cause: error,
    });
  const untrusted = tlsFailure(url, error);
  if (untrusted !== undefined)
    return new AutocodeError('ERR_TLS', untrusted.message, {
      remedy: 'Let egress.audit.caFile be the authority of its certificate, too.',
      cause: error,
    });
  return new AutocodeError('ERR_ELASTICSEARCH_UNAVAILABLE', `Kibana at ${url} does not answer.`, {
    remedy: 'Start it, or correct egress.audit.kibanaUrl, or --kibana.',
    cause: error,
  });
}

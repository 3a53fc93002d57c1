// What Elasticsearch has to know before records come: lifecycle policy and index template with the alias, as elasticsearch/ has them. May
// be done again. Used by open.ts before the first record, and by `egress audit setup`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { AuditSettings } from '../../config/audit-settings.ts';
import type { Search } from './client.ts';
import { ALIAS } from './document.ts';

const SHIPPED = join(import.meta.dirname, '../../../elasticsearch');

export interface SetupStep {
  what: string;
  /** `missing`: this server knows no lifecycle policies; Autocode's own pass deletes old indices there, too. */
  state: 'same' | 'made' | 'changed' | 'missing';
}

interface Template {
  version: number;
  template: { settings: Record<string, unknown>; mappings: { properties: Record<string, object> } };
}

/** As somebody may have left it. */
interface Found {
  version?: number;
  template?: { mappings?: { properties?: object } };
}

/** The index template as it is shipped. */
export function readTemplate(): Template {
  return JSON.parse(readFileSync(join(SHIPPED, 'template.json'), 'utf8')) as Template;
}

/** The lifecycle policy as it is shipped, with the age from the settings. */
export function readLifecycle({ retentionDays }: Pick<AuditSettings, 'retentionDays'>) {
  const { policy } = JSON.parse(readFileSync(join(SHIPPED, 'lifecycle.json'), 'utf8')) as {
    policy: { _meta: object; phases: Record<string, { min_age?: string; actions: object }> };
  };
  const last = { ...policy.phases.delete!, min_age: `${retentionDays}d` };
  return { ...policy, phases: { ...policy.phases, delete: last } };
}

export interface SetupOptions {
  /** Only tells what would be done. */
  dryRun?: boolean;
  /** Leaves a template alone unless it is of an older version: others may have changed it with a purpose. */
  gently?: boolean;
}

/** Brings policy and template there. */
export async function setUpAudit(
  search: Search,
  { dryRun = false, gently = false }: SetupOptions = {},
): Promise<SetupStep[]> {
  const lifecycle = await setUpLifecycle(search, dryRun);
  const wanted = readTemplate();
  if (lifecycle.state === 'missing') delete wanted.template.settings['index.lifecycle.name'];
  const there = await templateThere(search);
  const step = { what: `index template ${ALIAS}` };
  const fine =
    there !== undefined && (gently ? (there.version ?? 0) >= wanted.version : sameTemplate(there, wanted));
  if (fine) return [lifecycle, { ...step, state: 'same' }];
  if (!dryRun)
    await search.ask(
      async (client, options) =>
        await client.indices.putIndexTemplate({ name: ALIAS, ...(wanted as object) }, options),
    );
  return [lifecycle, { ...step, state: there === undefined ? 'made' : 'changed' }];
}

async function setUpLifecycle(search: Search, dryRun: boolean): Promise<SetupStep> {
  const what = `lifecycle policy ${ALIAS}`;
  const wanted = readLifecycle(search.settings);
  const answer = await found(
    search,
    async (client, options) => await client.ilm.getLifecycle({ name: ALIAS }, options),
  );
  if (answer === 'unknown') return { what, state: 'missing' };
  const there = answer?.[ALIAS]?.policy as typeof wanted | undefined;
  if (there?.phases.delete?.min_age === wanted.phases.delete.min_age) return { what, state: 'same' };
  if (!dryRun)
    await search.ask(
      async (client, options) =>
        await client.ilm.putLifecycle({ name: ALIAS, policy: wanted as never }, options),
    );
  return { what, state: there === undefined ? 'made' : 'changed' };
}

async function templateThere(search: Search): Promise<Found | undefined> {
  const answer = await found(
    search,
    async (client, options) => await client.indices.getIndexTemplate({ name: ALIAS }, options),
  );
  if (answer === 'unknown') return undefined;
  return answer?.index_templates[0]?.index_template as Found | undefined;
}

/** What is there; undefined: nothing; `unknown`: the server does not know the question. */
async function found<T>(
  search: Search,
  question: Parameters<typeof search.ask<T>>[0],
): Promise<T | undefined | 'unknown'> {
  try {
    return await search.ask(question);
  } catch (error) {
    const { status, type } = detailsOf(error);
    if (status === 404 && type !== '') return undefined;
    if (status === 400 || status === 404 || status === 405) return 'unknown';
    throw error;
  }
}

function detailsOf(error: unknown): { status?: number; type?: string } {
  return error instanceof AutocodeError ? ((error.details ?? {}) as { status?: number; type?: string }) : {};
}

// Not the settings, which the server gives back with full names and as texts: they change with the version.
function sameTemplate(there: Found, wanted: Template): boolean {
  const properties = there.template?.mappings?.properties;
  return (
    there.version === wanted.version && isDeepStrictEqual(properties, wanted.template.mappings.properties)
  );
}

// The kinds of sources that there are, each loaded when the first source of it is asked for. A new one is added here and to
// SOURCE_KINDS of the protocol. Used by sources.ts and, for what a source is asked for, by the API.
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { SOURCE_KINDS, Trust, type SourceKinds, type SourceKindName } from '../../protocol/intake.ts';
import type { SourceKind } from './source.ts';

const KINDS: Partial<Record<SourceKindName, () => Promise<SourceKind>>> = {
  forge: async () => (await import('./sources/forge.ts')).forge,
  schedule: async () => (await import('./sources/schedule.ts')).schedule,
  webhook: async () => (await import('./sources/webhook.ts')).webhook,
  sqs: async () => (await import('./sources/sqs.ts')).sqs,
  alertmanager: async () => (await import('./sources/alertmanager.ts')).alertmanager,
  jira: async () => (await import('./sources/jira.ts')).jira,
};

/** A kind by its name. */
export async function kindNamed(name: SourceKindName): Promise<SourceKind> {
  const load = KINDS[name];
  if (load !== undefined) return await load();
  throw new AutocodeError('ERR_INVALID_INPUT', `There is no kind of source named ${name}.`, {
    remedy: `There are ${Object.keys(KINDS).join(', ')}.`,
  });
}

/** What sources are asked for where one is added: by the kind, and of all. */
export async function describedKinds(): Promise<SourceKinds> {
  const kinds = SOURCE_KINDS.map(async (name) => {
    const { about, needsProject, settings, verify } = await kindNamed(name);
    const { what, secret = null, farSide = null } = about;
    const hook = verify !== undefined;
    return { kind: name, what, needsProject, hook, secret, farSide, settings: jsonSchema(settings) };
  });
  return { kinds: await Promise.all(kinds), trust: jsonSchema(z.strictObject(Trust.shape)) };
}

function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
}

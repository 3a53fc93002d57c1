// A source while it is written into the form: what it begins as, what is sent of it, and what somebody else has changed meanwhile.
import type { IntakeSource, SourceKindDetails, SourceKinds } from '../../../protocol/intake.ts';
import { defaultsOf, type JsonSchema, type Values } from '../ui/schema.ts';

export interface SourceDraft {
  name: string;
  kind: SourceKindDetails['kind'];
  /** Empty: none. */
  project: string;
  settings: Values;
  trust: Values;
  /** Of its own; empty: as it is. */
  secret: string;
  /** Values of other secrets, by their names. */
  values: Record<string, string>;
}

/** A new one of a kind; what was written before and holds for every kind stays. */
export function newDraft(
  { kind, settings }: SourceKindDetails,
  { trust }: SourceKinds,
  before?: SourceDraft,
): SourceDraft {
  return {
    name: before?.name ?? '',
    kind,
    project: before?.project ?? '',
    settings: defaultsOf(settings as JsonSchema),
    trust: before?.trust ?? defaultsOf(trust as JsonSchema),
    secret: '',
    values: {},
  };
}

/** One that is there. */
export function draftOf({ name, kind, project, settings, trust }: IntakeSource): SourceDraft {
  return { name, kind, project: project ?? '', settings, trust, secret: '', values: {} };
}

/** What the API is asked to add. */
export function inputOf({ name, kind, project, settings, trust, secret }: SourceDraft): object {
  return {
    name,
    kind,
    settings,
    trust,
    ...(project !== '' && { project }),
    ...(secret !== '' && { secret }),
  };
}

/** What the API is asked to change of one that was seen so. */
export function patchOf(
  { project, settings, trust, secret }: SourceDraft,
  { version }: IntakeSource,
): object {
  return {
    version,
    project: project === '' ? null : project,
    settings,
    trust,
    ...(secret !== '' && { secret }),
  };
}

/** What somebody has changed, as it is now: by the path that people see in the form. */
export function changedIn(seen: IntakeSource, now: IntakeSource): [path: string, value: unknown][] {
  const parts = (source: IntakeSource): Values => ({
    project: source.project,
    ...prefixed('settings', source.settings),
    ...prefixed('trust', source.trust),
  });
  const [before, after] = [parts(seen), parts(now)];
  return Object.keys({ ...before, ...after })
    .filter((path) => JSON.stringify(before[path]) !== JSON.stringify(after[path]))
    .map((path) => [path, after[path]]);
}

function prefixed(prefix: string, values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}.${name}`, value]));
}

/** The secrets besides its own that the settings name. */
export function namedSecrets(settings: Values, { properties = {} }: JsonSchema): string[] {
  return Object.entries(properties).flatMap(([name, { format }]) => {
    const value = settings[name];
    return format === 'secret-name' && typeof value === 'string' && value !== '' ? [value] : [];
  });
}

/** A secret that nobody can guess, as Standard Webhooks writes them; it does for any text too. */
export function freshSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}

// What somebody has changed of the settings and not saved, key by key, and what of it the API gets.
import type { Setting, Settings, SettingsPatch } from '../../../protocol/settings.ts';

/** What a key is to be: a value, its default (undefined), or something that is not even YAML. */
export type Edit = { value: unknown } | { wrong: string };
export type Draft = ReadonlyMap<string, Edit>;

/** What holds from the next start, as the file says it now; null where nothing is set. */
export function nextOf({ pending, value }: Setting): unknown {
  return pending === null ? value : pending.value;
}

/** The draft with one more edit, or one less where that says what the file says. */
export function edited(draft: Draft, setting: Setting, edit: Edit): Draft {
  const to = new Map(draft);
  if (isNoChange(setting, edit)) to.delete(setting.path);
  else to.set(setting.path, edit);
  return to;
}

function isNoChange(setting: Setting, edit: Edit): boolean {
  if ('wrong' in edit) return false;
  return edit.value === undefined ? !setting.inFile : isSame(edit.value, nextOf(setting));
}

/** What is shown of a key: what was changed, else what the file says. */
export function shownOf(draft: Draft, setting: Setting): unknown {
  const edit = draft.get(setting.path);
  if (edit === undefined) return nextOf(setting);
  return 'wrong' in edit ? nextOf(setting) : (edit.value ?? setting.default);
}

/** What the API gets; it has to be free of what is wrong. */
export function patchOf(draft: Draft, version: string): SettingsPatch {
  const values = [...draft].flatMap(([path, edit]) => ('value' in edit ? [[path, edit.value] as const] : []));
  return {
    version,
    set: Object.fromEntries(values.filter(([, value]) => value !== undefined)),
    unset: values.filter(([, value]) => value === undefined).map(([path]) => path),
  };
}

export interface Moved {
  path: string;
  was: unknown;
  is: unknown;
}

/** Keys that the file says something else of than when they were looked at. */
export function movedBetween(seen: Settings, now: Settings): Moved[] {
  const before = new Map(seen.keys.map((setting) => [setting.path, nextOf(setting)]));
  return now.keys.flatMap((setting) => {
    const [was, is] = [before.get(setting.path), nextOf(setting)];
    return isSame(was, is) ? [] : [{ path: setting.path, was, is }];
  });
}

/** A value in a line. */
export function inWords(value: unknown): string {
  if (value === null || value === undefined) return 'not set';
  if (typeof value === 'object' && Object.keys(value).length === 0) return 'nothing';
  if (typeof value === 'string') return value;
  const isOfTexts = Array.isArray(value) && value.every((each) => typeof each === 'string');
  return isOfTexts ? value.join(', ') : JSON.stringify(value);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}

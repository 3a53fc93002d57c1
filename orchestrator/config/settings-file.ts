// The file of the configuration, changed key by key: comments and order stay, and it is whole or as it was, whenever the process
// stops. Used by settings.ts for the API, and by `config set` and `config unset`.
import { createHash } from 'node:crypto';
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseDocument } from 'yaml';
import { AutocodeError } from '../../protocol/errors.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { lockDirectory } from './directory-lock.ts';
import { configKeys, valueAt, type ConfigKey } from './keys.ts';
import { loadConfig, readConfig, type ConfigSources } from './load.ts';
import { describeIssues, type Mistake } from './mistakes.ts';
import { maskPassword } from './show.ts';
import { contentOf, editYaml } from './yaml-edit.ts';

const NEW_DIRECTORY = 0o750;
const NEW_FILE = 0o640;
const DEEPEST = 30;

/** What is to be changed in the file. */
export interface FileChange {
  set: Readonly<Record<string, unknown>>; // by key
  unset: readonly string[]; // keys, or parts with all that is in them
  /** Of the file that the change was made from; undefined: of whatever there is. */
  version?: string | undefined;
  /** What goes before the file for a key; what that sets is refused. */
  fixedBy?: (path: string) => string | undefined;
}

/** What a change comes to; `text` is `before` where the file says all that already. */
export interface ChangedFile {
  path: string;
  before: string;
  text: string;
}

/** The file that is changed: the one in use, else the data directory's own, which need not be there yet. */
export function settingsFile(sources: ConfigSources): string {
  const { file, loaded } = readConfig({ ...sources, text: '' });
  return file ?? join((loaded ?? loadConfig(sources)).config.dataDir, 'config/autocode.yaml');
}

/** The text of a file, empty where there is none, and its version. */
export function readSettingsFile(path: string): { text: string; version: string } {
  const bytes = existsSync(path) ? bytesOf(path) : Buffer.alloc(0);
  const version = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  return { text: bytes.toString(), version };
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AutocodeError('ERR_CONFIG', `${path} cannot be read: ${(error as Error).message}.`, {
      remedy: 'Let the user of the daemon read the file.',
      cause: error,
    });
  }
}

/** Changes the file, or tells every mistake and leaves it as it is. `dry` only tells what would be written. */
export async function changeSettingsFile(
  sources: ConfigSources & { file: string },
  change: FileChange,
  dry = false,
): Promise<ChangedFile> {
  if (dry) return changedFile(sources, change);
  const { file } = sources;
  const directory = dirname(targetOf(file));
  const obstacle = obstacleTo(file);
  if (obstacle !== null)
    throw new AutocodeError('ERR_STATE', `${file} cannot be changed: ${obstacle.reason}.`, {
      remedy: obstacle.remedy,
    });
  const made = mkdirSync(directory, { recursive: true, mode: NEW_DIRECTORY });
  const owner = made === undefined ? undefined : ownerIn(dirname(made));
  if (owner !== undefined) chownSync(directory, owner.uid, owner.gid);
  const lock = await lockDirectory(directory, 'settings').catch((error: unknown) => {
    throw new AutocodeError('ERR_CONFLICT', `Somebody else is just changing ${file}.`, {
      remedy: 'Try again.',
      cause: error,
    });
  });
  try {
    const changed = changedFile(sources, change);
    if (changed.text !== changed.before) {
      const like = existsSync(changed.path) ? statSync(changed.path) : ownerIn(directory);
      await writeFileAtomic(changed.path, changed.text, NEW_FILE, like && { mode: NEW_FILE, ...like });
    }
    return changed;
  } finally {
    await lock.release();
  }
}

// What root makes is the daemon's to read: it belongs to whom the directory belongs that it is in.
function ownerIn(directory: string): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = statSync(directory);
  return { uid, gid };
}

/** Why this process cannot change the file, and what to do; null where it can. */
export function obstacleTo(file: string): { reason: string; remedy: string } | null {
  const byHand = {
    remedy: `Change it on its machine: \`sudo autocode config set KEY VALUE --config ${file}\`.`,
  };
  const path = targetOf(file);
  let directory = dirname(path);
  while (!existsSync(directory)) directory = dirname(directory);
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    if (!existsSync(path)) return null;
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'EROFS' ? 'it is read-only for the daemon' : 'the daemon may not write there';
    return { reason, ...byHand };
  }
  const user = process.getuid?.() ?? 0;
  return user === 0 || statSync(path).uid === user
    ? null
    : { reason: 'it belongs to another user, who would lose it', ...byHand };
}

// A link stays one.
function targetOf(file: string): string {
  return existsSync(file) ? realpathSync(file) : file;
}

function changedFile(sources: ConfigSources & { file: string }, change: FileChange): ChangedFile {
  const { text: before, version } = readSettingsFile(sources.file);
  const path = targetOf(sources.file);
  const { content, broken } = parsed(sources.file, before);
  if (broken !== undefined) throw broken;
  const keys = configKeys();
  const refused = refusedKeys(keys, change);
  const set = new Map<string, unknown>();
  for (const [name, value] of Object.entries(change.set)) {
    const key = keys.find((each) => each.path === name);
    const is = valueAt(content, name);
    // What was masked comes back as it was shown.
    if (key?.meta.secret === true && typeof is === 'string' && value !== is && value === maskPassword(is))
      continue;
    const wrong = key === undefined ? undefined : unwritable(key, value);
    if (wrong !== undefined) refused.push({ where: 'the change', path: name, message: wrong });
    else set.set(name, value);
  }
  if (refused.length > 0) throw mistaken(refused);
  const text = editYaml(before, { set, unset: change.unset });
  if (text === undefined)
    throw new AutocodeError(
      'ERR_STATE',
      `${sources.file} is written with anchors where it is to be changed.`,
      {
        remedy: 'Change it with an editor, and run `autocode config check`.',
      },
    );
  if (text === before) return { path, before, text };
  if (change.version !== undefined && change.version !== version)
    throw new AutocodeError('ERR_CONFLICT', `${sources.file} has been changed meanwhile.`, {
      remedy: 'Look at what it says now, and change it then.',
      details: { version },
    });
  const { mistakes } = readConfig({ ...sources, text });
  if (mistakes.length > 0) throw mistaken(mistakes);
  return { path, before, text };
}

/** What a file says; or why nothing can be changed in it. */
function parsed(file: string, text: string): { content: Record<string, unknown>; broken?: AutocodeError } {
  const { mistakes } = readConfig({ file, text, env: {} });
  const document = parseDocument(text, { prettyErrors: false });
  const content = document.errors.length === 0 ? contentOf(document) : {};
  const isMap = typeof content === 'object' && !Array.isArray(content);
  if (document.errors.length === 0 && isMap && !text.includes('\ufffd')) return { content };
  const told = text.includes('\ufffd')
    ? [{ where: file, path: 'the file', message: 'is not UTF-8' }]
    : mistakes.filter(({ path }) => path === 'YAML' || path === 'the file');
  const lines = told.map(({ where, message }) => `${where}: ${message}`).join('; ');
  return {
    content: {},
    broken: new AutocodeError('ERR_STATE', `The file cannot be changed as it is: ${lines}.`, {
      remedy: 'Correct it with an editor, and run `autocode config check`.',
      details: { mistakes: told },
    }),
  };
}

function refusedKeys(keys: ConfigKey[], { set, unset, fixedBy }: FileChange): Mistake[] {
  const where = () => 'the change';
  const isPart = (path: string) => keys.some((key) => key.path.startsWith(`${path}.`));
  const known = new Set(keys.map(({ path }) => path));
  const unknown = [
    ...Object.keys(set).filter((path) => !known.has(path)),
    ...unset.filter((path) => !known.has(path) && !isPart(path)),
  ];
  const fixed = Object.keys(set).flatMap((path) => {
    const by = fixedBy?.(path);
    return by === undefined
      ? []
      : [{ where: by, path, message: `is set by ${by}, which goes before the file` }];
  });
  const both = Object.keys(set).filter((path) =>
    unset.some((each) => each === path || path.startsWith(`${each}.`)),
  );
  return [
    ...unknown.flatMap((path) =>
      isPart(path)
        ? [{ where: where(), path, message: 'is a part with keys of its own; set those' }]
        : describeIssues([{ code: 'unrecognized_keys', keys: [path], path: [] }], where),
    ),
    ...fixed,
    ...both.map((path) => ({ where: where(), path, message: 'is set and unset at once' })),
  ];
}

function unwritable(key: ConfigKey, value: unknown): string | undefined {
  if (
    key.meta.secret === true &&
    typeof value === 'string' &&
    value !== '' &&
    /[:=]\*\*\*(@|&|#|$)/.test(value)
  )
    return 'holds *** where its password belongs; write the whole of it';
  return wrongText(value, DEEPEST);
}

// What YAML could hold and no program should.
function wrongText(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string')
    return value.isWellFormed() && !value.includes('\0') ? undefined : 'has characters that are none';
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === 0) return `is nested deeper than ${DEEPEST} levels`;
  for (const [name, each] of Object.entries(value)) {
    const wrong = wrongText(name, depth) ?? wrongText(each, depth - 1);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** All mistakes in one error. */
function mistaken(mistakes: Mistake[]): AutocodeError {
  const told = mistakes.map(({ path, message }) => `${path} ${message}`).join('; ');
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
  const end = told.endsWith('?') ? '' : '.';
  return new AutocodeError('ERR_INVALID_INPUT', `The change has ${count}: ${told}${end}`, {
    remedy: 'Correct them; nothing was changed. `autocode config reference` explains every key.',
    details: { mistakes },
  });
}

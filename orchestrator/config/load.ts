// One YAML file < environment < flags, checked as a whole: one frozen Config, or all mistakes at once, each with
// where it is and what to do. Used by main.ts and the CLI.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { LineCounter, isNode, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { AutocodeError } from '../../protocol/errors.ts';
import { configKeys, valueAt, valueFromText } from './keys.ts';
import type { ConfigKey } from './keys.ts';
import { describeIssues } from './mistakes.ts';
import type { Mistake } from './mistakes.ts';
import { Config } from './schema.ts';

const SYSTEM_FILE = '/etc/autocode/autocode.yaml';

export interface ConfigSources {
  /** The file of `--config`; else of AUTOCODE_CONFIG; else the data directory's, else the system's, when present. */
  file?: string | undefined;
  /** `--set` flags, as `api.port=1234`. */
  set?: readonly string[] | undefined;
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** What `file` would hold, to be looked at in place of what it holds. */
  text?: string | undefined;
}

export interface LoadedConfig {
  config: Config;
  file: string | undefined;
  /** Where a key's value is from, as `autocode.yaml:3:9`, `AUTOCODE_API_PORT`, `--set` or `default`. */
  sourceOf(path: string): string;
  /** The variable or flag that a key's value is from, whatever the file says; undefined where the file decides. */
  fixedBy(path: string): string | undefined;
  warnings: string[];
}

/** What `config check` tells: the mistakes, or none. */
export interface ConfigCheck {
  file: string | undefined;
  mistakes: Mistake[];
  warnings: string[];
}

/** The configuration, or ERR_CONFIG whose message and details have all mistakes. */
export function loadConfig(sources: ConfigSources = {}): LoadedConfig {
  const result = readConfig(sources);
  if (result.loaded !== undefined) return result.loaded;
  const count = result.mistakes.length === 1 ? 'a mistake' : `${result.mistakes.length} mistakes`;
  const lines = result.mistakes.map((mistake) => `  ${mistake.where}: ${mistake.path} ${mistake.message}`);
  throw new AutocodeError('ERR_CONFIG', `The configuration has ${count}:\n${lines.join('\n')}`, {
    remedy: 'Correct them and run `autocode config check`; `autocode config reference` explains every key.',
    details: result.mistakes,
  });
}

/** Checks without starting anything. */
export function checkConfig(sources: ConfigSources = {}): ConfigCheck {
  const { file, mistakes, warnings } = readConfig(sources);
  return { file, mistakes, warnings };
}

interface Layer {
  values: Map<string, unknown>; // by key path
  whereIs(path: string): string | undefined;
  mistakes: Mistake[];
  warnings: string[];
}

/** The configuration, or its mistakes. */
export function readConfig(sources: ConfigSources): ConfigCheck & { loaded?: LoadedConfig } {
  const { env = process.env, cwd = process.cwd(), set = [] } = sources;
  const keys = configKeys();
  const flags = readFlags(keys, set, cwd);
  const variables = readEnvironment(keys, env, cwd);
  const file = findFile(sources.file ?? env.AUTOCODE_CONFIG, flags, variables, cwd);
  const written = file === undefined ? undefined : readText(file, sources.text ?? textOf(file), keys);

  const input = written?.content ?? {};
  for (const layer of [variables, flags]) {
    for (const [path, value] of layer.values) setAt(input, path, value);
  }
  const fixedBy = (path: string) => flags.whereIs(path) ?? variables.whereIs(path);
  const whereIs = (path: string) => fixedBy(path) ?? written?.whereIs(path);
  // Without code made for it: that costs three times the one reading.
  const parsed = Config.safeParse(input, { jitless: true });
  const issues = parsed.success
    ? []
    : describeIssues(parsed.error.issues, (path) => whereIs(path) ?? 'default');
  const mistakes = [...(written?.mistakes ?? []), ...variables.mistakes, ...flags.mistakes, ...issues];
  const warnings = variables.warnings;
  if (!parsed.success || mistakes.length > 0) return { file, mistakes, warnings };
  const config = deepFreeze(parsed.data);
  const isWritten = (path: string) => valueAt(input, path) !== undefined;
  const sourceOf = (path: string) => (isWritten(path) ? whereIs(path) : undefined) ?? 'default';
  return { file, mistakes, warnings, loaded: { config, file, warnings, sourceOf, fixedBy } };
}

function readFlags(keys: ConfigKey[], set: readonly string[], cwd: string): Layer {
  const layer = emptyLayer('--set');
  for (const flag of set) {
    const [path = '', text] = flag.split(/=(.*)/s);
    const key = keys.find((candidate) => candidate.path === path);
    if (key !== undefined && text !== undefined)
      layer.values.set(path, absolute(key, valueFromText(key, text), cwd));
    else if (text === undefined)
      layer.mistakes.push({ where: '--set', path: flag, message: 'has no value; write it as key=value' });
    else
      layer.mistakes.push(
        ...describeIssues([{ code: 'unrecognized_keys', keys: [path], path: [] }], () => '--set'),
      );
  }
  return layer;
}

function readEnvironment(
  keys: ConfigKey[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Layer {
  const layer = emptyLayer('');
  const names = new Map<string, string>();
  for (const key of keys) {
    const text = env[key.variable];
    if (text === undefined || text === '') continue;
    layer.values.set(key.path, absolute(key, valueFromText(key, text), cwd));
    names.set(key.path, key.variable);
  }
  if (env.DATABASE_URL && !names.has('database.url')) {
    layer.values.set('database.url', env.DATABASE_URL);
    names.set('database.url', 'DATABASE_URL');
  }
  const known = new Set([...keys.map((key) => key.variable), ...OTHER_VARIABLES]);
  for (const name of Object.keys(env)) {
    if (name.startsWith('AUTOCODE_') && !known.has(name))
      layer.warnings.push(`${name} sets no key of the configuration; it is ignored.`);
  }
  return { ...layer, whereIs: (path) => names.get(path) ?? names.get(parentOf(names, path)) };
}

// Variables that are not keys of the configuration: see client-environment.ts.
const OTHER_VARIABLES = ['AUTOCODE_CONFIG', 'AUTOCODE_URL', 'AUTOCODE_TOKEN'];

function findFile(file: string | undefined, flags: Layer, variables: Layer, cwd: string): string | undefined {
  if (file !== undefined) return resolve(cwd, file);
  const named = flags.values.get('dataDir') ?? variables.values.get('dataDir');
  const dataDir = typeof named === 'string' ? named : Config.parse({}).dataDir;
  return [join(dataDir, 'config/autocode.yaml'), SYSTEM_FILE].find((path) => existsSync(path));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AutocodeError(
      'ERR_CONFIG',
      `The configuration file ${file} cannot be read: ${(error as Error).message}.`,
      {
        remedy: 'Correct the path of --config, or let this user read the file.',
        cause: error,
      },
    );
  }
}

function readText(
  file: string,
  text: string,
  keys: ConfigKey[],
): Layer & { content: Record<string, unknown> } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const layer = emptyLayer(file);
  for (const error of document.errors) {
    layer.mistakes.push({
      where: position(error.pos[0]),
      path: 'YAML',
      message: `is not well formed: ${error.message}`,
    });
  }
  const read = layer.mistakes.length === 0 ? (document.toJS() as unknown) : {};
  const isMap = typeof read === 'object' && read !== null && !Array.isArray(read);
  if (!isMap && read !== null)
    layer.mistakes.push({
      where: `${file}:1:1`,
      path: 'the file',
      message: 'must be a map of keys to values',
    });
  const content = isMap ? (read as Record<string, unknown>) : {};
  for (const key of keys) {
    const value = valueAt(content, key.path);
    if (value !== undefined) setAt(content, key.path, absolute(key, value, dirname(file)));
  }
  return { ...layer, content, whereIs: (path) => nodePosition(document, path, position) };
}

// The place of a path's node, or of the nearest that is written above it.
function nodePosition(
  document: Document,
  path: string,
  position: (offset: number) => string,
): string | undefined {
  const parts: (string | number)[] = path
    .split('.')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  for (; parts.length > 0; parts.pop()) {
    const node = document.getIn(parts, true);
    if (isNode(node) && node.range) return position(node.range[0]);
    if (parts.length > 1 && typeof parts.at(-1) !== 'number') continue;
  }
  return undefined;
}

// A relative path means: from the file that says it, or from where the command was typed.
function absolute(key: ConfigKey, value: unknown, base: string): unknown {
  if (key.meta.path === true && typeof value === 'string') return resolve(base, value);
  if (key.path !== 'models.engines' || !Array.isArray(value)) return value;
  return value.map((engine: unknown) =>
    typeof engine === 'object' &&
    engine !== null &&
    'recording' in engine &&
    typeof engine.recording === 'string'
      ? { ...engine, recording: resolve(base, engine.recording) }
      : engine,
  );
}

function emptyLayer(where: string): Layer {
  const values = new Map<string, unknown>();
  return {
    values,
    mistakes: [],
    warnings: [],
    whereIs: (path) => (values.has(path) || values.has(parentOf(values, path)) ? where : undefined),
  };
}

// The key that a path lies in: `models.engines.0.name` is in `models.engines`.
function parentOf(values: ReadonlyMap<string, unknown>, path: string): string {
  return [...values.keys()].find((key) => path.startsWith(`${key}.`)) ?? '';
}

function setAt(target: Record<string, unknown>, path: string, value: unknown): void {
  const parts = path.split('.');
  const last = parts.pop() as string;
  let at = target;
  for (const part of parts) {
    const next = at[part];
    at[part] = typeof next === 'object' && next !== null ? next : {};
    at = at[part] as Record<string, unknown>;
  }
  at[last] = value;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}

// Settings of the worker and of the runners it starts: the only reader of flags and environment in the worker.
// Used by main.ts, runner/main.ts and runner-service/main.ts.
import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { AutocodeError } from '../protocol/errors.ts';
import { Name } from '../protocol/ids.ts';
import { Labels, Placement } from '../protocol/placement.ts';
import { takeNotifyAddress, type NotifyAddress } from '../telemetry/service-manager.ts';
import { SandboxSettings, WorkspaceSettings } from '../protocol/worker-settings.ts';

export const WorkerConfig = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).describe('Address of the orchestrator.'),
    tokenFile: z.string().min(1).describe('File with a token of role worker.'),
    caFile: z
      .string()
      .min(1)
      .optional()
      .describe("Authority that it trusts at the orchestrator, over https; the system's when left out."),
    stateDir: z.string().min(1).describe('Claims, runs and object caches are kept here.'),
    toolDir: z.string().min(1).describe('Where the agents are installed.'),
    logDir: z.string().min(1).describe('Log files of the worker itself.'),
    name: Name.default(defaultName()).describe('Unique among the workers of an installation.'),
    concurrency: z.coerce
      .number()
      .int()
      .min(0)
      .max(1000)
      .default(2)
      .describe('Runs at a time; 0 takes none and finishes those it has.'),
    project: Name.optional().describe('The only project whose tasks it takes; all when left out.'),
    agent: Name.optional().describe('The only agent that it offers; all that are installed when left out.'),
    dailyBudget: z.coerce
      .number()
      .min(0)
      .max(1e9)
      .optional()
      .describe('What its runs may spend a day, in the ledger currency, as 12.50.'),
    labels: z
      .preprocess(fromList, Labels)
      .default([])
      .describe('Projects can ask for workers with them; separated by commas as a flag.'),
    placement: Placement.default('unit').describe(
      'How it came to be started; with `dispatch` it takes one run, and ends with it.',
    ),
    allocation: z.string().max(64).optional().describe('Its allocation in Nomad.'),
    logLevel: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
    sandbox: z
      .preprocess(fromJson, SandboxSettings)
      .prefault({})
      .describe('Limits of a run; JSON as a flag.'),
    workspace: z
      .preprocess(fromJson, WorkspaceSettings)
      .prefault({})
      .describe('Work trees and their cache; JSON as a flag.'),
  })
  .meta({ id: 'WorkerConfig' });
export type WorkerConfig = z.infer<typeof WorkerConfig>;

const OF_RUNNERS = { stateDir: true, toolDir: true, logDir: true, sandbox: true, workspace: true } as const;

/** A worker whose runs the runner service of its machine starts, as in a job of Nomad. It writes no files. */
export const ClaimerConfig = WorkerConfig.omit(OF_RUNNERS)
  .extend({
    runnerSocket: z.string().min(1).describe('Socket of the runner service; it keeps the runs.'),
    healthAddress: z
      .string()
      .regex(/:\d+$/, 'use address:port')
      .optional()
      .describe('Where it tells whether it is registered, as 10.0.0.2:23456.'),
  })
  .meta({ id: 'ClaimerConfig' });
export type ClaimerConfig = z.infer<typeof ClaimerConfig>;

/** The runner service, the other half of that worker. It has the settings file of a machine's worker, and uses what is about runs. */
export const RunnerServiceConfig = WorkerConfig.partial({ tokenFile: true })
  .extend({
    socket: z.string().min(1).optional().describe('Where it listens, unless systemd does for it.'),
  })
  .meta({ id: 'RunnerServiceConfig' });
export type RunnerServiceConfig = z.infer<typeof RunnerServiceConfig>;

/** What a runner is told, besides its work order: it goes by argv, so nothing in it is secret. */
export interface RunnerConfig {
  /** The run's directory. */
  directory: string;
  url: string;
  caFile?: string | undefined;
  cacheDir: string;
  toolDir: string;
  sandbox: SandboxSettings;
  /** `overlay` says whether the runner may mount. */
  workspace: WorkspaceSettings;
}

/** What a job's environment may say: the same names as in the orchestrator's configuration. */
const VARIABLES: Record<string, string> = {
  caFile: 'AUTOCODE_CA_FILE',
  project: 'AUTOCODE_WORKER_PROJECT',
  dailyBudget: 'AUTOCODE_WORKER_DAILY_BUDGET',
  labels: 'AUTOCODE_WORKER_LABELS',
  placement: 'AUTOCODE_WORKER_PLACEMENT',
  allocation: 'NOMAD_ALLOC_ID',
};
/** What only a job's own environment says: elsewhere AUTOCODE_URL may be that of a person's shell. */
const JOB_VARIABLES: Record<string, string> = {
  ...VARIABLES,
  url: 'AUTOCODE_URL',
  name: 'AUTOCODE_WORKER_NAME',
  agent: 'AUTOCODE_WORKER_AGENT',
};

/** From flags over the environment over a YAML file (`--config FILE`); every mistake is told at once. */
export async function workerConfig(argv: string[]): Promise<WorkerConfig | ClaimerConfig> {
  const flags = readFlags(argv, [WorkerConfig, ClaimerConfig]);
  return flags.runnerSocket === undefined
    ? settled(await checked(WorkerConfig, flags, VARIABLES))
    : await checked(ClaimerConfig, flags, JOB_VARIABLES);
}

/** The same for the runner service. */
export async function runnerServiceConfig(argv: string[]): Promise<RunnerServiceConfig> {
  const flags = readFlags(argv, [RunnerServiceConfig]);
  return settled(await checked(RunnerServiceConfig, flags, { caFile: 'AUTOCODE_CA_FILE' }));
}

function readFlags(argv: string[], schemas: z.ZodObject[]): Record<string, string | undefined> {
  const keys = [...new Set([...schemas.flatMap(({ shape }) => Object.keys(shape)), 'config'])];
  const options = Object.fromEntries(keys.map((key) => [flagOf(key), { type: 'string' as const }]));
  const { values } = parseArgs({ args: argv, options, strict: true });
  return Object.fromEntries(keys.map((key) => [key, values[flagOf(key)] as string | undefined]));
}

async function checked<Schema extends z.ZodObject>(
  schema: Schema,
  { config: file, ...flags }: Record<string, string | undefined>,
  variables: Record<string, string>,
): Promise<z.infer<Schema>> {
  const fromFile = file === undefined ? {} : await readYaml(file);
  const fromFlags = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const parsed = schema.safeParse({ ...fromFile, ...fromEnvironment(variables), ...fromFlags });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`,
  );
  const names = Object.keys(schema.shape).map((key) => `--${flagOf(key)}`);
  throw new AutocodeError('ERR_CONFIG', `The worker's settings are not valid: ${problems.join('; ')}.`, {
    remedy: `Give them as flags (${names.join(' ')}) or in a file with --config.`,
  });
}

/** With directories that are there, by their real names. */
function settled<T extends Pick<WorkerConfig, 'stateDir' | 'toolDir' | 'logDir' | 'caFile'>>(config: T): T {
  const { stateDir, toolDir, logDir, caFile } = config;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  return {
    ...config,
    stateDir: realpathSync(stateDir),
    toolDir: path.resolve(toolDir),
    logDir: path.resolve(logDir),
    ...(caFile === undefined ? {} : { caFile: path.resolve(caFile) }),
  };
}

function fromEnvironment(variables: Record<string, string>): Record<string, string> {
  const set = Object.entries(variables).map(([key, name]) => [key, process.env[name] ?? '']);
  return Object.fromEntries(set.filter(([, value]) => value !== ''));
}

/** The runner's settings from its argv. */
export function runnerConfig(argv: string[]): RunnerConfig {
  const text = { type: 'string' as const };
  const { values } = parseArgs({
    args: argv,
    options: {
      directory: text,
      url: text,
      'ca-file': text,
      'cache-dir': text,
      'tool-dir': text,
      sandbox: text,
      workspace: text,
    },
  });
  const { directory, url, 'ca-file': caFile, 'cache-dir': cacheDir, 'tool-dir': toolDir } = values;
  if (directory === undefined || url === undefined || cacheDir === undefined || toolDir === undefined) {
    throw new AutocodeError('ERR_CONFIG', 'A runner needs --directory, --url, --cache-dir and --tool-dir.', {
      remedy: 'Runners are started by the worker.',
    });
  }
  const sandbox = SandboxSettings.parse(fromJson(values.sandbox ?? '{}'));
  const workspace = WorkspaceSettings.parse(fromJson(values.workspace ?? '{}'));
  const authority = caFile === undefined ? {} : { caFile };
  return { directory, url, ...authority, cacheDir, toolDir, sandbox, workspace };
}

/** The other way round, for the worker that starts a runner. */
export function runnerArguments({
  directory,
  url,
  caFile,
  cacheDir,
  toolDir,
  sandbox,
  workspace,
}: RunnerConfig): string[] {
  const settings = ['--directory', directory, '--url', url, '--cache-dir', cacheDir, '--tool-dir', toolDir];
  if (caFile !== undefined) settings.push('--ca-file', caFile);
  return [...settings, '--sandbox', JSON.stringify(sandbox), '--workspace', JSON.stringify(workspace)];
}

/** The environment that a runner gets from the worker: what node and git need. No setting of the host reaches an agent by it. */
export function runnerEnvironment(): Record<string, string> {
  const passed = [
    'PATH',
    'HOME',
    'NODE_COMPILE_CACHE',
    'XDG_RUNTIME_DIR',
    'SSL_CERT_FILE',
    'NODE_EXTRA_CA_CERTS',
  ];
  return Object.fromEntries(
    passed.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** Where the service manager wants to hear of this process; no child of it inherits that. */
export function notifyAddress(): NotifyAddress | undefined {
  return takeNotifyAddress(process.env, process.pid);
}

/** The socket on which systemd listens for this process, if it does; children are not told. */
export function socketOfSystemd(): { fd: number } | undefined {
  const { LISTEN_FDS: count, LISTEN_PID: pid } = process.env;
  for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete process.env[name];
  return count === '1' && pid === String(process.pid) ? { fd: 3 } : undefined;
}

/** PATH of the programs in a sandbox: the worker's, and node's own as the last resort. */
export function programPath(): string {
  return `${process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin'}:${path.dirname(process.execPath)}`;
}

/** A directory for sockets whose names are short: this user's own, else in /tmp by uid. */
export function socketBase(): string {
  const own = process.env.XDG_RUNTIME_DIR;
  return own !== undefined && own.length <= 50
    ? path.join(own, 'autocode')
    : `/tmp/autocode-${process.getuid?.() ?? 0}`;
}

function fromJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value; // the schema says what is wrong with it
  }
}

function fromList(value: unknown): unknown {
  return typeof value === 'string' ? value.split(',').filter((each) => each !== '') : value;
}

function flagOf(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function defaultName(): string {
  return (
    os
      .hostname()
      .toLowerCase()
      .replaceAll(/[^a-z0-9._-]/g, '-')
      .replace(/^[^a-z0-9]+/, '')
      .slice(0, 63) || 'worker'
  );
}

async function readYaml(file: string): Promise<Record<string, unknown>> {
  try {
    const text = readFileSync(file, 'utf8');
    // The daemon writes JSON, which is YAML too: an idle worker then does without the parser.
    const document: unknown = text.startsWith('{') ? JSON.parse(text) : (await import('yaml')).parse(text);
    return z.record(z.string(), z.unknown()).parse(document ?? {});
  } catch (cause) {
    throw new AutocodeError('ERR_CONFIG', `${file} cannot be read: ${(cause as Error).message}`, {
      remedy: 'Give a YAML file with the settings of the worker.',
      cause,
    });
  }
}

// Every configuration key: its type, its default, its meaning. Files, environment, flags, `config show` and the
// reference (docs/configuration.md) all come from here. Used by load.ts; `Config` by whoever is configured.
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Name } from '../../protocol/ids.ts';
import { Labels } from '../../protocol/placement.ts';
import { ForgeKindName } from '../../protocol/project.ts';
import { SandboxSettings, WorkspaceSettings } from '../../protocol/worker-settings.ts';
import { BudgetSettings, CurrencyCode } from './budget-settings.ts';
import { DrainSettings } from './drain-settings.ts';
import { EnvironmentSettings } from './environment-settings.ts';
import { EgressSettings } from './egress-settings.ts';
import { IncidentSettings } from './incident-settings.ts';
import { Guards, Models } from './model-settings.ts';
import { NotificationSettings } from './notification-settings.ts';
import { SchedulingSettings } from './scheduling-settings.ts';
import { SecretSettings } from './secret-settings.ts';
import { SignInSettings } from './sign-in-settings.ts';
import { TlsSettings } from './tls-settings.ts';
import { PlacementSettings } from './placement-settings.ts';
import { NomadSettings } from './nomad-settings.ts';

const CHECKOUT = join(import.meta.dirname, '../..');

export const RoleOfDaemon = z.enum(['api', 'gateway', 'scheduler']);

const PORT_WANTED = 'use a port from 1 to 65535, or auto';
const Port = z.union([z.literal('auto'), z.int().min(1, PORT_WANTED).max(65_535, PORT_WANTED)], {
  error: PORT_WANTED,
});
const Count = z.int().min(0);
const Days = z.number().positive().max(3650);
const Seconds = z.number().positive();
const PerMinute = z.int().min(1);

// How a key whose default depends on the machine is shown in the reference; which text is a path, which a secret.
declare module 'zod' {
  interface GlobalMeta {
    shownDefault?: string;
    path?: boolean;
    secret?: boolean;
  }
}

const Api = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address that the HTTP API listens on.'),
  port: Port.default('auto').describe(
    'Port of the HTTP API; `auto` takes a free one, which the CLI finds by itself.',
  ),
  publicUrl: z
    .url({ protocol: /^https?$/, error: 'use an http or https address' })
    .optional()
    .describe('Address under which others reach the API, where a proxy stands in front of it.'),
  trustedProxies: z
    .array(
      z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
        error: 'use an address or a network as 10.0.0.0/8',
      }),
    )
    .default([])
    .describe('Proxies in front of the API whose `x-forwarded-for`, `-proto` and `-host` are believed.'),
  bodyLimitBytes: z
    .int()
    .min(1024)
    .default(1024 * 1024)
    .describe('Largest body of a request; log batches and git have limits of their own.'),
  bodySeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(30)
    .describe('Longest time for the body of a request to come; git has none.'),
  rateLimit: z
    .strictObject({
      admin: PerMinute.default(6_000).describe('Requests a minute of one admin token.'),
      operator: PerMinute.default(3_000).describe('Requests a minute of one operator token.'),
      viewer: PerMinute.default(3_000).describe('Requests a minute of one viewer token.'),
      worker: PerMinute.default(6_000).describe('Requests a minute of one worker token.'),
      run: PerMinute.default(12_000).describe(
        'Requests a minute of one run; its logs come in batches of 50 ms.',
      ),
      gateway: PerMinute.default(6_000).describe('Model calls a minute of one run.'),
    })
    .prefault({}),
});

const Limits = z.strictObject({
  runDeadlineMinutes: z
    .number()
    .positive()
    .max(10_080)
    .default(60)
    .describe('A run that is not done by then ends as out-of-time.'),
  maxIterations: z
    .int()
    .min(1)
    .max(100)
    .default(4)
    .describe('How often a failing verify goes back to the agent, the first try counted in.'),
  verifyTimeoutMinutes: z
    .number()
    .positive()
    .max(1_440)
    .default(15)
    .describe('Longest time for one verify command.'),
  verifyOutputBytes: z
    .int()
    .min(1024)
    .default(4 * 1024 * 1024)
    .describe('Output kept of one verify command.'),
  retries: z
    .strictObject({
      agent: Count.default(1).describe('New runs after the agent failed.'),
      platform: Count.default(3).describe('New runs after Autocode or the machine failed.'),
      lost: Count.default(3).describe('New runs after the worker was lost.'),
      outOfTime: Count.default(0).describe('New runs after the deadline passed.'),
    })
    .prefault({}),
  retryBackoffSeconds: z
    .number()
    .min(0)
    .default(15)
    .describe('Wait before the first retry; it doubles with each.'),
  retriesPerHour: z
    .strictObject({
      installation: Count.default(1_000).describe('Retries that begin in an hour; the others wait.'),
      project: Count.default(200).describe('The same for each project.'),
    })
    .prefault({}),
});

const Lease = z
  .strictObject({
    heartbeatSeconds: Seconds.default(10).describe('How often a run reports that it lives.'),
    leaseSeconds: Seconds.default(30).describe('A run that was not heard of for so long is lost.'),
    startupGraceSeconds: z
      .number()
      .min(0)
      .default(30)
      .describe('No lease is swept for so long after a start.'),
    selfStopMinutes: z
      .number()
      .positive()
      .default(15)
      .describe('A run that cannot reach the orchestrator for so long stops itself.'),
  })
  .refine((lease) => lease.leaseSeconds >= 2 * lease.heartbeatSeconds, {
    path: ['leaseSeconds'],
    error: 'must be at least twice lease.heartbeatSeconds, or one late heartbeat loses a run',
  })
  .refine((lease) => lease.selfStopMinutes * 60 > lease.leaseSeconds, {
    path: ['selfStopMinutes'],
    error: 'must be longer than lease.leaseSeconds',
  });

export const ForgeSettings = z.strictObject({
  name: Name.refine((name) => name !== 'local', '"local" is the name for no forge').describe(
    'Unique among the forges.',
  ),
  kind: ForgeKindName.describe('`gitea` (Forgejo too), `github` (Enterprise Server too) or `gitlab`.'),
  url: z
    .url({ protocol: /^https?$/, error: 'use an http or https address' })
    .describe('Its address, as its users see it; repositories below it belong to it by themselves.'),
  tokenSecret: Name.optional().describe(
    'Name of the secret with its access token, or the private key of a GitHub App; `forge-<name>` when left out.',
  ),
  appId: z.string().min(1).optional().describe('Id of the GitHub App whose private key the secret holds.'),
  webhookSecret: Name.optional().describe(
    'Name of the secret that its webhooks are signed with; `webhook-<name>` when left out.',
  ),
});
export type ForgeSettings = z.infer<typeof ForgeSettings>;

export const Config = z.strictObject({
  dataDir: z
    .string()
    .min(1)
    .default(() => join(CHECKOUT, '.data'))
    .meta({ path: true, shownDefault: '`.data` in the checkout' })
    .describe('Directory of everything that is kept.'),
  roles: z
    .array(RoleOfDaemon)
    .min(1)
    .default(['api', 'gateway', 'scheduler'])
    .describe('What this process does; the appliance runs one process a role.'),
  api: Api.prefault({}),
  gateway: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').describe('Address that the model gateway listens on.'),
      port: Port.default('auto').describe('Port of the model gateway.'),
      guards: Guards.prefault({}),
    })
    .prefault({}),
  database: z
    .strictObject({
      url: z
        .string()
        .regex(/^postgres(ql)?:\/\//, 'use a postgresql:// address')
        .optional()
        .meta({ secret: true, shownDefault: 'a server of its own in the data directory' })
        .describe('PostgreSQL 15 or newer to use instead of the own one; also read from `DATABASE_URL`.'),
      poolSize: z.int().min(2).max(50).default(10).describe('Connections at most.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['error', 'warn', 'info', 'debug'])
        .default('info')
        .describe('Least severe level that is logged.'),
      retentionDays: z.int().min(1).max(3650).default(30).describe('How long log files are kept.'),
    })
    .prefault({}),
  worker: z
    .strictObject({
      local: z.boolean().default(true).describe('Whether the daemon starts a worker on this machine.'),
      concurrency: z.int().min(1).max(1000).default(2).describe('Runs at a time on that worker.'),
      name: Name.default(() => workerName(hostname()))
        .meta({ shownDefault: 'the name of the host' })
        .describe('Its name, unique among the workers.'),
      project: Name.optional().describe('The only project whose tasks it takes.'),
      labels: Labels.default([]).describe('Projects can ask for workers with them.'),
      dailyBudget: z
        .number()
        .min(0)
        .max(1e9)
        .optional()
        .describe(
          'What its runs may spend a day, in the ledger currency: a budget beside those that are set.',
        ),
    })
    .prefault({}),
  sandbox: SandboxSettings.prefault({}),
  workspace: WorkspaceSettings.prefault({}),
  environments: EnvironmentSettings.prefault({}),
  agents: z
    .strictObject({
      default: Name.default('qwen-coder').describe('Agent for tasks and projects that name none.'),
    })
    .prefault({}),
  models: Models.prefault({}),
  forges: z
    .array(ForgeSettings)
    .refine((forges) => new Set(forges.map(({ name }) => name)).size === forges.length, 'has a name twice')
    .default([])
    .describe('Servers with pull requests; others may be named when a project is registered.'),
  limits: Limits.prefault({}),
  lease: Lease.prefault({}),
  drain: DrainSettings.prefault({}),
  scheduling: SchedulingSettings.prefault({}),
  incidents: IncidentSettings.prefault({}),
  notifications: NotificationSettings.prefault({}),
  secrets: SecretSettings.prefault({}),
  signIn: SignInSettings.prefault({}),
  tls: TlsSettings.optional().describe('API, mirror and gateway over TLS, for workers on other machines.'),
  placement: PlacementSettings.prefault({}),
  egress: EgressSettings.prefault({}),
  retention: z
    .strictObject({
      runLogsDays: Days.default(90).describe('How long logs of ended runs are kept.'),
      eventsDays: Days.default(90).describe('How long events are kept.'),
      auditDays: Days.default(730).describe('How long it is kept who changed what.'),
      egressDays: Days.default(365).describe('How long records of what went outside are kept.'),
      promptsDays: Days.default(30).describe('How long kept prompts and answers are kept.'),
      intakeDays: Days.default(14).describe(
        'How long the bodies of deliveries are kept, sealed, so that they can be replayed.',
      ),
      workspacesDays: Days.default(7).describe('How long workspaces of ended runs are kept.'),
    })
    .prefault({}),
  currency: CurrencyCode.default('USD').describe('Ledger currency; prices are in it.'),
  budget: BudgetSettings.prefault({}),
  nomad: NomadSettings,
});

export type Config = Readonly<z.infer<typeof Config>>;

function workerName(host: string): string {
  const name = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
  return name === '' ? 'local' : name;
}

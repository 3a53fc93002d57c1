// The daemon, put together: the one file that knows every part. Started by `autocode up`.
import { join } from 'node:path';
import { createLog, type RootLog } from '../telemetry/log.ts';
import packageJson from '../package.json' with { type: 'json' };
import { serverKey } from './access/server-key.ts';
import { replaceToken, runTokens } from './access/tokens.ts';
import { exportLedger, makeScheduledReports } from './budget/files.ts';
import { gpuEngines } from './budget/idle.ts';
import { tellBudgets } from './budget/notices.ts';
import { inheritedEnvironment } from './config/client-environment.ts';
import { removeDaemonFile, writeAdminToken, writeDaemonFile } from './config/daemon-file.ts';
import { clusterPath, openDataDirectory, type DataDirectory } from './config/data-directory.ts';
import { lockDirectory } from './config/directory-lock.ts';
import type { Config } from './config/schema.ts';
import type { RunningSettings } from './config/settings.ts';
import { startAudit } from './daemon/audit.ts';
import { refusalsIn, startEgress } from './daemon/egress.ts';
import { intakeChores, intakeOf } from './daemon/intake.ts';
import { openFleet } from './daemon/nomad.ts';
import { startLocalWorker } from './daemon/local-worker.ts';
import { superviseModels } from './daemon/own-models.ts';
import { notificationChores } from './daemon/notifications.ts';
import { partsOfRoles } from './daemon/parts-of-roles.ts';
import { keepPorts, lastPorts } from './daemon/ports.ts';
import { tellCrashes } from './daemon/crash.ts';
import { pruningChores } from './daemon/pruning.ts';
import { checkRoles } from './daemon/roles.ts';
import { secretChores } from './daemon/secret-chores.ts';
import { gatherStatus } from './daemon/status.ts';
import { connect } from './db/connect.ts';
import { migrate } from './db/migrate.ts';
import { stopListening } from './db/notifications.ts';
import { launchPostgres } from './db/supervisor.ts';
import { catalogue, type Catalogue } from './models/catalogue.ts';
import { abandonTests } from './models/conformance/results.ts';
import { readLocalCatalogue, SHIPPED_CATALOGUE } from './models/local-catalogue.ts';
import { openRoleBook, type SetRoles } from './models/roles.ts';
import { promptsKey } from './prompts/key.ts';
import { promptKeeper } from './prompts/keeper.ts';
import { liveRedactor } from './redaction/live-redactor.ts';
import { openForges, type Forges } from './repos/forge/forges.ts';
import { refreshChanges } from './repos/merge.ts';
import { createGit } from './repos/git.ts';
import { bindRepositories } from './repos/repositories.ts';
import type { RepositoryStore } from './repos/mirror.ts';
import { openSecrets } from './secrets/open.ts';
import { drainKeeper } from './tasks/drain-keeper.ts';
import { untilLeave } from './tasks/drain-leave.ts';
import { reconcile } from './tasks/reconcile.ts';
import { Scheduler } from './tasks/scheduler.ts';
import { LogStore } from './workers/log-store.ts';

const AUTHOR = { name: 'Autocode', email: 'autocode@localhost' };
const MINUTE = 60;
const RECORDINGS = join(import.meta.dirname, '../examples/recordings');

/** A daemon that serves; `stop` ends it cleanly, runs go on without it. */
export interface Daemon {
  url: string;
  gatewayUrl: string | null;
  log: RootLog;
  /** Resolves when a drain is over and the process is to end. */
  left: Promise<void>;
  stop(): Promise<void>;
}

/** What of a start is not configuration. */
export interface StartOptions {
  /** Whether the log is written to the terminal too. */
  console: boolean;
  /** Has this process start anew with what the configuration says then. */
  restart(): void;
}

/** Starts every part of the configured roles, in the order in which they need one another. What has started is stopped when a later part fails. */
export async function startDaemon(settings: RunningSettings, options: StartOptions): Promise<Daemon> {
  const { config } = settings;
  checkRoles(config);
  const directory = openDataDirectory(config.dataDir);
  const stops: (() => Promise<unknown>)[] = [];
  const undo = async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  try {
    return await startParts(settings, directory, stops, undo, options);
  } catch (error) {
    await undo().catch(() => {}); // the first error is the one to tell
    throw error;
  }
}

async function startParts(
  settings: RunningSettings,
  directory: DataDirectory,
  stops: (() => Promise<unknown>)[],
  undo: () => Promise<void>,
  options: StartOptions,
): Promise<Daemon> {
  const { config } = settings;
  for (const role of config.roles) {
    const lock = await lockDirectory(directory.root, `daemon-${role}`);
    stops.push(() => lock.release());
  }
  const opened = await openSecrets(config);
  stops.push(() => opened.close());
  const redaction = await liveRedactor(opened);
  stops.push(async () => redaction.stop());
  const secrets = redaction.watched(opened);
  const clean = (text: string) => redaction.current().text(text);
  const log = createLog({
    directory: directory.path('logs/orchestrator'),
    service: 'orchestrator',
    level: config.log.level,
    retentionDays: config.log.retentionDays,
    clean,
    ...(options.console ? {} : { console: false }),
  });
  const untold = tellCrashes(clean);
  stops.push(async () => untold());
  stops.push(() => log.close());
  const stopping = new AbortController();
  const startedAt = new Date().toISOString();

  const postgres = await launchPostgres({
    url: config.database.url,
    cluster: clusterPath(directory.root),
    log: (line) => log.debug(line, { part: 'postgres' }),
  });
  stops.push(() => postgres.stop());
  const loading = partsOfRoles(config.roles); // while the database comes up
  const [{ startApi, serveGateway, submission }] = await Promise.all([loading, postgres.ready]);
  const db = connect({
    url: postgres.url,
    poolSize: config.database.poolSize,
    onError: (error) => log.warn(`database connection lost: ${error.message}`),
    clean,
  });
  stops.push(
    () => db.end(),
    () => stopListening(db),
  );
  const migrated = await migrate(db);
  if (migrated.length > 0) log.info(`database brought to ${migrated.at(-1)}`);

  const prompts = {
    directory: directory.path('logs/prompts'),
    key: async () => await promptsKey(secrets),
  };
  const roleBook = await openRoleBook(db, (error) =>
    log.warn('the roles of models could not be read anew', { error }),
  );
  const models = openCatalogue(config, directory, roleBook.current);
  const forges = openForges({
    db,
    secrets,
    configured: config.forges,
    clean: (value) => redaction.current().json(value).value,
  });
  const fleet = await openFleet(config.nomad, secrets, packageJson.version);
  const store: RepositoryStore = {
    git: openGit(directory, forges.credentials),
    dir: directory.path('worker-artifacts/projects'),
  };
  const last = lastPorts(directory);
  const ports = { ...last };
  const tls =
    config.tls &&
    (await (await import('./daemon/worker-tls.ts')).openWorkerTls(config.tls, directory, last, log));
  if (tls !== undefined) stops.push(() => tls.stop());

  let gatewayUrl: string | null = null;
  if (serveGateway !== undefined) {
    const keeper = promptKeeper({
      ...prompts,
      live: redaction.live,
      warn: (message, fields) => log.warn(message, fields),
    });
    stops.push(() => keeper.close());
    const supervisor = await superviseModels(config, directory, db, log);
    if (supervisor !== undefined) stops.push(() => supervisor.stop());
    const gateway = await serveGateway(
      {
        config,
        db,
        catalogue: models,
        secrets,
        log,
        prompts: keeper,
        supervisor,
        serveToo: tls?.serveGateway,
      },
      last.gateway,
    );
    stops.push(() => gateway.stop());
    ({ url: gatewayUrl } = gateway);
    ports.gateway = gateway.port;
  } else if (last.gateway !== undefined) {
    gatewayUrl = `http://${config.gateway.host}:${last.gateway}`;
  }

  const drain = drainKeeper({ db, log, settings: config.drain, retries: config.limits });
  if (config.roles.includes('scheduler')) await drain.run(stopping.signal); // before anybody can claim
  let url = config.api.publicUrl ?? `http://${config.api.host}:${config.api.port}`;
  if (startApi !== undefined) {
    const key = await serverKey(secrets);
    const intake = intakeOf(key);
    const egress = await startEgress(config, directory.root, db, log, key, secrets, redaction.known);
    if (egress !== undefined) stops.push(() => egress.stop());
    const audit = await startAudit(config, directory.root, db, log, secrets);
    stops.push(() => audit.stop());
    await abandonTests(db);
    const repositories = bindRepositories({
      db,
      store,
      author: AUTHOR,
      forges,
      stopping: stopping.signal,
      onError: (error) => log.warn(`git: ${String(error)}`),
      keepDelivery: intake.keepDelivery,
    });
    const fixed = {
      version: packageJson.version,
      startedAt,
      roles: config.roles,
      gatewayUrl,
      dataDir: directory.root,
      currency: config.currency,
    };
    const api = await startApi(
      {
        db,
        config,
        settings,
        process: { startedAt, restart: config.roles.length === 3 ? options.restart : undefined },
        log,
        repositories,
        secrets,
        redactor: redaction.current,
        prompts,
        sealer: intake.sealer,
        logs: new LogStore(directory.path('logs/worker'), redaction.current),
        environmentsDirectory: directory.path('environments'),
        models: () => models.list(),
        catalogue: models,
        roleBook,
        runTokens: runTokens(key),
        egress: egress?.orderFor,
        audit: audit.search,
        fleet,
        gatewayUrl: () => gatewayUrl ?? '',
        tls: tls?.api,
        status: async () =>
          await gatherStatus({
            db,
            catalogue: models,
            supervisedDatabase: postgres.supervised,
            others: [await secrets.health?.(), tls?.health(), egress?.health(), await audit.health()].flatMap(
              (each) => each ?? [],
            ),
            settings,
            fixed: { ...fixed, apiUrl: url },
          }),
        stopping: stopping.signal,
      },
      { ...config.api, last: last.api },
      packageJson.version,
      tls?.serveApi,
    );
    stops.push(() => api.stop());
    url = config.api.publicUrl ?? api.url;
    ports.api = api.port;
    await writeAdminToken(directory, (await replaceToken(db, { name: 'local', role: 'admin' })).token);
  }
  await keepPorts(directory, { ...ports, ...tls?.ports });

  const books = { timeZone: config.budget.timeZone, currency: config.currency };
  if (submission !== undefined) {
    const parts = {
      db,
      store,
      author: AUTHOR,
      forges,
      currency: config.currency,
      policy: config.limits,
      redactor: redaction.current,
      refusals: refusalsIn(config, directory.root),
    };
    const scheduler = new Scheduler({
      db,
      log,
      policy: config.limits,
      scheduling: config.scheduling,
      timeZone: books.timeZone,
      startupGraceSeconds: config.lease.startupGraceSeconds,
      submit: async (run) => await submission.submitRun(parts, run, stopping.signal),
      giveUp: async (run, reason) => await submission.giveUpSubmission(parts, run, reason),
      chores: [
        drain,
        ...secretChores(db, secrets),
        ...(await intakeChores({ config, db, secrets, forges, models, log })),
        ...notificationChores({ config, db, secrets, log, clean }),
        ...(fleet === undefined
          ? []
          : (await import('./daemon/placement.ts')).placementChores(fleet, config, db, log)),
        {
          name: 'changes',
          everySeconds: MINUTE,
          run: async (signal) =>
            await refreshChanges(
              { db, store, author: AUTHOR, forges },
              (error, repository) =>
                log.warn(`changes of repository ${repository} could not be looked at: ${String(error)}`),
              signal,
            ),
        },
        {
          name: 'reconciliation',
          everySeconds: MINUTE,
          run: async () => tell(log, 'reconciled', await reconcile(db)),
        },
        {
          name: 'budgets',
          everySeconds: MINUTE,
          run: async () => tell(log, 'budgets reached', { told: await tellBudgets(db, books.timeZone) }),
        },
        {
          name: 'financial files',
          everySeconds: MINUTE,
          run: async () => {
            const days = await exportLedger(db, directory.path('financial/transactions'));
            const reports = directory.path('financial/reports');
            const gpus = gpuEngines(config.models);
            const made = await makeScheduledReports(db, config.budget.reports, reports, { ...books, gpus });
            tell(log, 'financial files written', { days, reports: made.length });
          },
        },
        ...pruningChores({
          db,
          store,
          directory,
          settings: config.retention,
          audited: config.egress.audit !== undefined,
          tell: (counts) => tell(log, 'pruned', counts),
        }),
      ],
    });
    scheduler.start();
    stops.push(() => scheduler.stop());
  }
  if (config.worker.local && config.roles.includes('api')) {
    const worker = await startLocalWorker({ db, directory, config, url, log });
    stops.push(() => worker.stop());
  }
  if (config.roles.includes('api')) {
    await writeDaemonFile(directory, { url, gatewayUrl });
    stops.push(() => removeDaemonFile(directory));
  }
  stops.push(async () => stopping.abort());
  log.info(`ready at ${url}`, { gatewayUrl, roles: config.roles });
  return { url, gatewayUrl, log, left: untilLeave(db, stopping.signal), stop: undo };
}

function openCatalogue(config: Config, directory: DataDirectory, setRoles: () => SetRoles): Catalogue {
  const { local } = config.models;
  const own = local && { models: readLocalCatalogue(local.catalogue ?? SHIPPED_CATALOGUE), gpu: local.gpu };
  return catalogue({
    engines: config.models.engines,
    ...(own === undefined ? {} : { own }),
    default: config.models.default,
    roles: config.models.roles,
    setRoles,
    ceilingPrice: config.models.ceilingPrice,
    recordingDirectories: [join(directory.path('worker-artifacts/generated'), 'recordings'), RECORDINGS],
  });
}

function openGit(directory: DataDirectory, credentials: Forges['credentials']) {
  const {
    PATH = '/usr/bin:/bin',
    HOME = directory.root,
    SSH_AUTH_SOCK,
    XDG_CONFIG_HOME,
  } = inheritedEnvironment();
  return createGit({
    path: PATH,
    home: HOME,
    sshAuthSock: SSH_AUTH_SOCK,
    xdgConfigHome: XDG_CONFIG_HOME,
    configDir: directory.path('run'),
    credentials,
  });
}

// What a chore has mended is worth a line; that there was nothing is not.
function tell(log: RootLog, what: string, counts: object): void {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  if (some.length > 0)
    log.info(`${what}: ${some.map(([name, count]) => `${count} ${name}`).join(', ')}`, counts);
}

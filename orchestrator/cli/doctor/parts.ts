// Checks of Autocode's own parts: daemon, agents, models. Used by doctor.ts.
import { Status } from '../../../protocol/status.ts';
import type { Engine } from '../../config/model-settings.ts';
import { openSecrets } from '../../secrets/open.ts';
import type { SecretManager } from '../../secrets/secret-manager.ts';
import { knownAgents } from '../agents.ts';
import { connect } from '../client.ts';
import { offeredHere } from '../sandbox.ts';
import { readDaemonFile } from '../../config/daemon-file.ts';
import type { Check, Finding } from './doctor.ts';
import { ownModels } from './own-models.ts';

export const checkDaemon: Check = {
  name: 'daemon',
  run: async ({ config: { dataDir } }) => {
    const daemon = readDaemonFile(dataDir);
    if (daemon === undefined)
      return { state: 'ok', detail: 'does not run (`autocode up --detach` starts it)' };
    const set = [`dataDir=${dataDir}`];
    const status = await connect({ set, url: undefined, tokenFile: undefined, config: undefined }).get(
      '/status',
      Status,
    );
    const down = status.parts.filter((part) => part.state === 'down' || part.state === 'degraded');
    if (down.length === 0) return { state: 'ok', detail: `${status.version} at ${status.apiUrl}` };
    return {
      state: 'warn',
      detail: down.map((part) => `${part.name} is ${part.state}: ${part.detail}`).join('\n'),
      remedy: 'See `autocode status` and the log.',
    };
  },
};

export const checkSandbox: Check = {
  name: 'sandbox',
  run: async () => {
    const { isolations, missing } = await offeredHere();
    if (missing === null) return { state: 'ok', detail: isolations[0] ?? '' };
    return { state: 'warn', detail: 'runs on this machine have none', remedy: missing };
  },
};

export const checkAgents: Check = {
  name: 'agents',
  run: async ({ config }) => {
    const agents = await knownAgents({ config: undefined, set: [`dataDir=${config.dataDir}`] });
    const installed = agents.filter((agent) => agent.installed).map((agent) => agent.name);
    const wanted = config.agents.default;
    if (installed.includes(wanted) || wanted === 'command')
      return { state: 'ok', detail: installed.join(', ') };
    return {
      state: 'warn',
      detail: `${wanted}, the default, is not installed here`,
      remedy: `autocode agent install ${wanted}`,
    };
  },
};

export const checkSecrets: Check = {
  name: 'secrets',
  run: async ({ config }) => {
    const secrets = await openSecrets(config);
    try {
      const vault = await secrets.health?.();
      if (vault === undefined) return { state: 'ok', detail: 'sealed in the data directory' };
      if (vault.state === 'ok') return { state: 'ok', detail: `in Vault at ${vault.detail}` };
      return {
        state: 'fail',
        detail: vault.detail,
        remedy: 'What needs a secret waits until Vault can be used.',
      };
    } finally {
      await secrets.close();
    }
  },
};

export const checkModels: Check = {
  name: 'models',
  run: async ({ config }) => {
    const remedy =
      'Name one: models.engines or models.local in the configuration, or `autocode demo --model-url … --model …`.';
    const engines = config.models.engines.filter((engine) => engine.kind === 'upstream');
    const secrets = await openSecrets(config);
    const findings = await Promise.all([
      ...(config.models.local === undefined ? [] : [ownModels(config, config.models.local)]),
      ...engines.map((engine) => reach(engine, secrets)),
    ]).finally(() => secrets.close());
    if (findings.length === 0)
      return { state: 'warn', detail: 'no model is configured; only recordings can be played', remedy };
    const worst =
      findings.find(({ state }) => state === 'fail') ?? findings.find(({ state }) => state === 'warn');
    return { ...(worst ?? { state: 'ok' }), detail: findings.map(({ detail }) => detail).join('\n') };
  },
};

type Upstream = Extract<Engine, { kind: 'upstream' }>;

/** Whether a model server answers, and takes the key. */
async function reach(engine: Upstream, secrets: SecretManager): Promise<Finding> {
  const key = engine.apiKeySecret === undefined ? undefined : await secrets.get(engine.apiKeySecret);
  if (engine.apiKeySecret !== undefined && key === undefined) {
    return {
      state: 'fail',
      detail: `${engine.name}: there is no secret ${engine.apiKeySecret}`,
      remedy: 'Give the key again by `autocode demo --model-url … --api-key-file …`.',
    };
  }
  const headers: Record<string, string> =
    key === undefined ? {} : { authorization: `Bearer ${key.value}`, 'x-api-key': key.value };
  try {
    const { status } = await fetch(`${engine.url.replace(/\/+$/, '')}/v1/models`, {
      headers,
      signal: AbortSignal.timeout(5_000),
    });
    if (status === 401 || status === 403)
      return {
        state: 'fail',
        detail: `${engine.name}: ${engine.url} refuses the key (${status})`,
        remedy: 'Give the right key.',
      };
    if (status >= 500)
      return {
        state: 'warn',
        detail: `${engine.name}: ${engine.url} answers ${status}`,
        remedy: 'Look at that server.',
      };
    return { state: 'ok', detail: `${engine.name}: ${engine.url} answers` };
  } catch (error) {
    const reason =
      error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error);
    return {
      state: 'fail',
      detail: `${engine.name}: ${engine.url} does not answer (${reason})`,
      remedy: 'Start that server, or correct models.engines in the configuration.',
    };
  }
}

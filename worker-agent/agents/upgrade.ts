// Brings the agents of a tool directory to the versions that this release pins: the new version is installed beside the old one,
// which goes when no run uses it. Used by cli.ts.
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RunId } from '../../protocol/ids.ts';
import {
  AGENTS,
  type AgentName,
  installationOf,
  knownAgent,
  LOCKED_AGENTS,
  type LockedAgent,
} from './catalogue.ts';
import { installAgent, type InstallOptions } from './install.ts';
import { agentDirectory, isInstalled } from './installed.ts';

export interface UpgradeOptions extends InstallOptions {
  /** What the worker of this tool directory keeps of its runs, in `runs/`; null where there is none. */
  stateDir: string | null;
  /** Only says what would be done. */
  dryRun: boolean;
}

export interface Upgrade {
  name: string;
  /** Versions that are installed, the pinned one left out. */
  from: string[];
  to: string;
  /** `installed`: the pinned version was not there yet. */
  done: 'installed' | 'up-to-date';
  /** Old versions that were removed, and those that stay because a run of this agent goes on. */
  removed: string[];
  kept: string[];
}

/** Upgrades the agents that are named, else all of which some version is installed. */
export async function upgradeAgents(names: string[], options: UpgradeOptions): Promise<Upgrade[]> {
  const wanted = new Set(names.map((name) => installationOf(knownAgent(name))));
  const upgrades: Upgrade[] = [];
  for (const name of LOCKED_AGENTS) {
    const present = await otherVersions(name, options.toolDir);
    const named = wanted.has(name);
    const some = present.length > 0 || (await isInstalled(name, options.toolDir));
    if (names.length === 0 ? some : named) upgrades.push(await upgrade(name, present, options));
  }
  return upgrades;
}

async function upgrade(name: LockedAgent, from: string[], options: UpgradeOptions): Promise<Upgrade> {
  const { toolDir, dryRun } = options;
  const fresh = !(await isInstalled(name, toolDir));
  if (fresh && !dryRun) await installAgent(name, options);
  const inUse = from.length > 0 && (await runsWith(name, options.stateDir));
  if (!inUse && !dryRun) for (const version of from) await remove(toolDir, `${name}-${version}`);
  return {
    name,
    from,
    to: AGENTS[name].version,
    done: fresh ? 'installed' : 'up-to-date',
    removed: inUse ? [] : from,
    kept: inUse ? from : [],
  };
}

/** Versions beside the pinned one, whole or not. */
async function otherVersions(name: LockedAgent, toolDir: string): Promise<string[]> {
  const entries = await readdir(toolDir).catch(() => []);
  return entries
    .filter((entry) => /^\d/.test(entry.slice(name.length + 1)) && entry.startsWith(`${name}-`))
    .map((entry) => entry.slice(name.length + 1))
    .filter((version) => agentDirectory(name, toolDir) !== join(toolDir, `${name}-${version}`));
}

/** True when a run that the worker keeps may use an installation of this agent. */
async function runsWith(name: LockedAgent, stateDir: string | null): Promise<boolean> {
  if (stateDir === null) return false;
  const runs = join(stateDir, 'runs');
  for (const run of (await readdir(runs).catch(() => [])).filter((each) => RunId.safeParse(each).success)) {
    const text = await readFile(join(runs, run, 'order.json'), 'utf8').catch(() => null);
    if (text === null) continue; // it has ended, or will take the pinned version
    const agent = agentOf(text);
    if (agent === null || installationOf(agent) === name) return true;
  }
  return false;
}

const Order = z.object({ agent: z.object({ name: z.string() }) });

/** The agent of a work order, which another release may have written; null when it cannot be told. */
function agentOf(order: string): AgentName | null {
  try {
    return knownAgent(Order.parse(JSON.parse(order)).agent.name);
  } catch {
    return null;
  }
}

/** First out of sight, under a name that the next install removes. */
async function remove(toolDir: string, entry: string): Promise<void> {
  const hidden = join(toolDir, `.new-${entry}.old`);
  await rename(join(toolDir, entry), hidden);
  await rm(hidden, { recursive: true, force: true, maxRetries: 3 });
}

// What is installed in a tool directory, told by stamp files alone: no process is started.
// Used by the worker's registration, the installer and AcpAgent.
import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import type { WorkerInput } from '../../protocol/worker.ts';
import { AGENT_NAMES, AGENTS, type AgentEntry, type AgentName, installationOf } from './catalogue.ts';

/** Written last into an install directory: without it nothing counts as installed. */
export const STAMP_FILE = 'autocode-agent.json';
export const Stamp = z.object({ name: z.string(), version: z.string(), installedAt: z.iso.datetime() });

/** Where an agent of the catalogue is installed, or would be. */
export function agentDirectory(name: AgentName, toolDir: string): string {
  const { install, version }: AgentEntry = AGENTS[name];
  return join(toolDir, install === 'user' ? name : `${installationOf(name)}-${version}`);
}

/** The agents that can be used with this tool directory, as a worker tells of them. */
export async function installedAgents(toolDir: string): Promise<WorkerInput['agents']> {
  const found: WorkerInput['agents'] = [];
  for (const name of AGENT_NAMES) {
    const { install, version, protocol }: AgentEntry = AGENTS[name];
    if (install === null || (await isInstalled(name, toolDir))) found.push({ name, version, protocol });
  }
  return found;
}

/** True when the pinned version is there as a whole, or the program that the user has to bring. */
export async function isInstalled(name: AgentName, toolDir: string): Promise<boolean> {
  const { program, version }: AgentEntry = AGENTS[name];
  const directory = agentDirectory(name, toolDir);
  try {
    if (program !== undefined) {
      await access(join(directory, program), constants.X_OK);
      return true;
    }
    const stamp = Stamp.parse(JSON.parse(await readFile(join(directory, STAMP_FILE), 'utf8')));
    return stamp.name === installationOf(name) && stamp.version === version;
  } catch {
    return false;
  }
}

/** The directory of an installed agent; ERR_AGENT_MISSING says how to get it. Names outside the catalogue have none. */
export async function installDirectory(name: string, toolDir: string): Promise<string> {
  if (!Object.hasOwn(AGENTS, name)) return toolDir;
  const known = name as AgentName;
  if (await isInstalled(known, toolDir)) return agentDirectory(known, toolDir);
  const { title, version, install }: AgentEntry = AGENTS[known];
  throw new AutocodeError(
    'ERR_AGENT_MISSING',
    `${[title, version].filter(Boolean).join(' ')} is not installed in ${toolDir}.`,
    {
      remedy: install === 'user' ? bringIt(known, toolDir) : `Run \`autocode agent install ${known}\`.`,
    },
  );
}

/** What the user does for an agent that only its maker gives out. */
export function bringIt(name: AgentName, toolDir: string): string {
  const { program }: AgentEntry = AGENTS[name];
  return `Get it from its maker and copy it, so that it is ${join(agentDirectory(name, toolDir), program ?? '')} (see docs/agents.md).`;
}

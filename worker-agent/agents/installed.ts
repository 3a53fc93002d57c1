// What is installed in a tool directory, told by stamp files alone: no process is started.
// Used by the worker's registration, the installer and AcpAgent.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { AGENT_NAMES, AGENTS, type AgentEntry } from './catalogue.ts';

/** Written last into an install directory: without it nothing counts as installed. */
export const STAMP_FILE = 'autocode-agent.json';
export const Stamp = z.object({ name: z.string(), version: z.string(), installedAt: z.iso.datetime() });

/** Where an agent of the catalogue is installed, or would be. */
export function agentDirectory(name: keyof typeof AGENTS, toolDir: string): string {
  return join(toolDir, `${name}-${AGENTS[name].version}`);
}

/** The agents that can be used with this tool directory, with their versions. */
export async function installedAgents(toolDir: string): Promise<{ name: string; version: string | null }[]> {
  const found: { name: string; version: string | null }[] = [];
  for (const name of AGENT_NAMES) {
    const entry: AgentEntry = AGENTS[name];
    if (entry.install === null || (await isInstalled(name, toolDir)))
      found.push({ name, version: entry.version });
  }
  return found;
}

/** True when the pinned version is there as a whole. */
export async function isInstalled(name: keyof typeof AGENTS, toolDir: string): Promise<boolean> {
  try {
    const stamp = Stamp.parse(
      JSON.parse(await readFile(join(agentDirectory(name, toolDir), STAMP_FILE), 'utf8')),
    );
    return stamp.name === name && stamp.version === AGENTS[name].version;
  } catch {
    return false;
  }
}

/** The directory of an installed agent; ERR_AGENT_MISSING says how to get it. Names outside the catalogue have none. */
export async function installDirectory(name: string, toolDir: string): Promise<string> {
  if (!Object.hasOwn(AGENTS, name)) return toolDir;
  const known = name as keyof typeof AGENTS;
  if (await isInstalled(known, toolDir)) return agentDirectory(known, toolDir);
  throw new AutocodeError(
    'ERR_AGENT_MISSING',
    `${AGENTS[known].title} ${AGENTS[known].version} is not installed in ${toolDir}.`,
    {
      remedy: `Run \`autocode agent install ${known}\`.`,
    },
  );
}

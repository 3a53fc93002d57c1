// `autocode agent …`: the worker's own tool for agents, with the data directory's tool folder. Used by the demo and doctor too.
import { openDataDirectory } from '../config/data-directory.ts';
import type { GlobalArgs } from './command.ts';
import { runPart } from './part.ts';
import { loadSettings, type SettingsArgs } from './settings.ts';

export const AGENT_TOOL = 'worker-agent/agents/cli.ts';

/** Lists the known agents. */
export async function listAgents(args: GlobalArgs): Promise<void> {
  await runPart(AGENT_TOOL, ['list', ...toolFlags(args)]);
}

/** Installs an agent. */
export async function installAgent(args: GlobalArgs & { agent: string }): Promise<void> {
  await runPart(AGENT_TOOL, ['install', args.agent, ...toolFlags(args)]);
}

/** Starts an agent to see whether it answers. */
export async function checkAgent(args: GlobalArgs & { agent: string | undefined }): Promise<void> {
  await runPart(AGENT_TOOL, ['check', ...(args.agent === undefined ? [] : [args.agent]), ...toolFlags(args)]);
}

/** Where agents are installed, and how the tool is to answer. */
export function toolFlags(args: SettingsArgs & { json: boolean }): string[] {
  const directory = openDataDirectory(loadSettings(args).config.dataDir).path('agents');
  return ['--tool-dir', directory, ...(args.json ? ['--json'] : [])];
}

// Appliances whose model is scripted, and whose agents are the real ones. Used by the tests of what agents do.
import { rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { installForTests, TEST_TOOL_DIR } from '../../worker-agent/agents/testing/real-agents.ts';
import type { startAppliance } from './appliance.ts';

type Appliance = Awaited<ReturnType<typeof startAppliance>>;

/** Tokens that come in are free, so that what a call costs does not hang on prompts. */
export const OUTPUT_PRICE = { input: 0, cached: 0, output: 1000 };

/** The setting that makes the model at the address gpu/scripted. */
export function scriptedEngine(
  url: string,
  { protocols = ['chat'], price }: { protocols?: string[]; price?: object } = {},
) {
  const models = [{ name: 'scripted', ...(price === undefined ? {} : { price }) }];
  const engine = { kind: 'upstream', name: 'gpu', url, protocols, models };
  return `models.engines=${JSON.stringify([engine])}`;
}

/** Gives the appliance the agents, which are installed once for all tests; its worker sees them with its next registration. */
export async function giveAgents(appliance: Appliance, ...agents: string[]): Promise<void> {
  for (const agent of agents) await installForTests(agent);
  const installed = path.join(appliance.dataDir, 'agents');
  rmSync(installed, { recursive: true, force: true });
  symlinkSync(TEST_TOOL_DIR, installed);
}

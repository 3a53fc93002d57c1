// What the agents speak, as far as a model can be tested for them. The worker's own list of agents is compared with it by a test.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Dialogue } from '../../../protocol/model.ts';

export const AGENT_PROTOCOLS: Record<string, Dialogue> = {
  'qwen-coder': 'chat',
  'claude-code': 'messages',
  'claude-code-cli': 'messages',
  codex: 'responses',
  aider: 'chat',
};

/** The agent that models are tested for when none is named: the configuration's, if what it speaks is known. */
export function testAgent(configured: string): string {
  return Object.hasOwn(AGENT_PROTOCOLS, configured) ? configured : 'qwen-coder';
}

/** What the agent speaks; ERR_AGENT_UNKNOWN with those that are known. */
export function protocolOfAgent(agent: string): Dialogue {
  const protocol = Object.hasOwn(AGENT_PROTOCOLS, agent) ? AGENT_PROTOCOLS[agent] : undefined;
  if (protocol !== undefined) return protocol;
  throw new AutocodeError('ERR_AGENT_UNKNOWN', `Models are not tested for an agent "${agent}".`, {
    remedy: `Use one of ${Object.keys(AGENT_PROTOCOLS).join(', ')}.`,
  });
}

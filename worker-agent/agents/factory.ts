// Makes the agent that a work order names. Used by the runner.
import { AcpAgent } from './acp-agent.ts';
import { knownAgent } from './catalogue.ts';
import { type AgentContext, type CodingAgent } from './coding-agent.ts';
import { CommandAgent } from './command-agent.ts';
import { PROFILES } from './profiles/all.ts';

/** The agent of that name; ERR_AGENT_UNKNOWN lists the known ones. Starts nothing. */
export function createAgent(name: string, context: AgentContext): CodingAgent {
  const known = knownAgent(name);
  return known === 'command' ? new CommandAgent(context) : new AcpAgent(context, PROFILES[known]);
}

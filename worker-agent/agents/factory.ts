// Makes the agent that a work order names. Used by the runner.
import { AcpAgent } from './acp-agent.ts';
import { knownAgent } from './catalogue.ts';
import { CliAgent } from './cli-agent.ts';
import { CLI_PROFILES, type CliProfileName } from './cli-profiles/all.ts';
import { type AgentContext, type CodingAgent } from './coding-agent.ts';
import { CommandAgent } from './command-agent.ts';
import { type ProfileName, PROFILES } from './profiles/all.ts';

/** The agent of that name; ERR_AGENT_UNKNOWN lists the known ones. Starts nothing. */
export function createAgent(name: string, context: AgentContext): CodingAgent {
  const known = knownAgent(name);
  if (known === 'command') return new CommandAgent(context);
  if (known in CLI_PROFILES) return new CliAgent(context, CLI_PROFILES[known as CliProfileName]);
  return new AcpAgent(context, PROFILES[known as ProfileName]);
}

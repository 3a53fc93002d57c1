// Makes sure that the demo's agent is installed, by the worker's own tool.
import { AutocodeError, ErrorBody, errorFromBody } from '../../../protocol/errors.ts';
import { AGENT_TOOL, toolFlags } from '../agents.ts';
import { oneLine } from '../format.ts';
import { readPart } from '../part.ts';
import type { SettingsArgs } from '../settings.ts';
import type { Tell } from './tell.ts';

/** Installs the agent unless it is there; `command` needs nothing. */
export async function ensureAgent(args: SettingsArgs, agent: string, tell: Tell): Promise<void> {
  if (agent === 'command') return;
  await tell.step('agent', `installing ${agent}`, (progress) => install(args, agent, progress), () => `${agent}, installed`);
}

async function install(args: SettingsArgs, agent: string, progress: (text: string) => void): Promise<void> {
  let failure: AutocodeError | undefined;
  let last = '';
  const code = await readPart(AGENT_TOOL, ['install', agent, ...toolFlags({ ...args, json: true })], (line) => {
    const said = parse(line);
    const refused = ErrorBody.safeParse(said);
    if (refused.success) failure = errorFromBody(refused.data, 500);
    else if (typeof said === 'object' && said !== null && 'progress' in said) progress((last = oneLine(String(said.progress))));
  });
  if (code === 0) return;
  throw failure ?? new AutocodeError('ERR_AGENT_MISSING', `${agent} could not be installed (exit code ${code}). ${last}`.trim(), {
    remedy: `Try \`autocode agent install ${agent}\` to see all that it says; it needs the npm registry once.`,
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

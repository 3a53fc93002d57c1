// Whether an agent works here: it is installed, is the pinned version, and answers. Used by cli.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { AcpAgent } from './acp-agent.ts';
import { AGENTS, knownAgent } from './catalogue.ts';
import { askVersion } from './install.ts';
import { installDirectory } from './installed.ts';
import { PROFILES } from './profiles/all.ts';

export interface AgentCheck {
  ok: boolean;
  version: string | null;
  detail: string;
}

/** Asks the program for its version and opens a session with it, in a sandbox of the caller's; no model is called. */
export async function checkAgent(
  name: string,
  options: { toolDir: string; sandbox: Sandbox },
): Promise<AgentCheck> {
  const known = knownAgent(name);
  if (known === 'command')
    return { ok: true, version: null, detail: 'needs no installation: its program is yours' };
  const { toolDir, sandbox } = options;
  try {
    const version = await askVersion(known, await installDirectory(known, toolDir));
    if (version !== AGENTS[known].version) {
      return { ok: false, version, detail: `is version ${version}, but ${AGENTS[known].version} is pinned` };
    }
    const agent = new AcpAgent(
      {
        sandbox,
        toolDir,
        agent: { name: known, command: null, model: 'none' },
        emit() {},
        raw() {},
        signal: new AbortController().signal,
      },
      PROFILES[known],
    );
    const began = Date.now();
    await agent.start();
    const detail = `opened a session in ${((Date.now() - began) / 1000).toFixed(1)} s`;
    await agent.stop();
    return { ok: true, version, detail };
  } catch (error) {
    if (!(error instanceof AutocodeError)) throw error;
    return {
      ok: false,
      version: null,
      detail: error.remedy ? `${error.message} ${error.remedy}` : error.message,
    };
  }
}

// Whether an agent works here: it is installed, is the pinned version, and answers. Used by cli.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { AGENTS, knownAgent } from './catalogue.ts';
import { UNBOUND } from './coding-agent.ts';
import { createAgent } from './factory.ts';
import { askVersion } from './install.ts';
import { installDirectory } from './installed.ts';
import { type ProfileName, PROFILES } from './profiles/all.ts';

export interface AgentCheck {
  ok: boolean;
  version: string | null;
  detail: string;
}

/** Asks the program for its version and starts it as a run does, in a sandbox of the caller's; no model is called. */
export async function checkAgent(
  name: string,
  options: { toolDir: string; sandbox: Sandbox },
): Promise<AgentCheck> {
  const known = knownAgent(name);
  if (known === 'command')
    return { ok: true, version: null, detail: 'needs no installation: its program is yours' };
  const { toolDir, sandbox } = options;
  try {
    const installed = await installDirectory(known, toolDir);
    const pinned = AGENTS[known].version;
    const asked = known in PROFILES ? await askVersion(known as ProfileName, installed) : pinned;
    if (asked !== pinned)
      return { ok: false, version: asked, detail: `is version ${asked}, but ${pinned} is pinned` };
    const agent = createAgent(known, {
      sandbox,
      toolDir,
      agent: { name: known, command: null, model: 'none' },
      permissions: {},
      plan() {},
      emit() {},
      raw() {},
      budget: async () => UNBOUND,
      signal: new AbortController().signal,
    });
    const began = Date.now();
    const { version } = await agent.start();
    await agent.stop();
    const what = AGENTS[known].kind === 'acp' ? 'opened a session' : 'answered';
    const detail = `${what} in ${((Date.now() - began) / 1000).toFixed(1)} s`;
    return { ok: true, version: pinned ?? version, detail };
  } catch (error) {
    if (!(error instanceof AutocodeError)) throw error;
    return {
      ok: false,
      version: null,
      detail: error.remedy ? `${error.message} ${error.remedy}` : error.message,
    };
  }
}

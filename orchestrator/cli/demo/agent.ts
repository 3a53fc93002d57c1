// Makes sure that the demo's agent is installed.
import { install } from '../agents.ts';
import type { SettingsArgs } from '../settings.ts';
import type { Tell } from './tell.ts';

/** Installs the agent unless it is there; `command` needs nothing. */
export async function ensureAgent(args: SettingsArgs, agent: string, tell: Tell): Promise<void> {
  if (agent === 'command') return;
  await tell.step(
    'agent',
    `installing ${agent}`,
    (progress) => install(args, agent, progress),
    ({ name, version, fresh }) => `${name} ${version ?? ''}, ${fresh ? 'installed now' : 'installed'}`,
  );
}

// A run's way out, where its order has one: the relay to the proxy, and the certificate that programs inside trust. Used by the runner.
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { browserPolicy } from '../../protocol/browser-trust.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import { socketBase } from '../config.ts';
import type { ConfinedOptions } from '../sandbox/confined.ts';
import { startEgressRelay } from './egress-relay.ts';
import { socketPath } from './socket-path.ts';

export interface RunEgress {
  way: ConfinedOptions['egress'];
  close(): Promise<void>;
}

/** Opens it; a run without isolation has the network of its machine, and no need of one. */
export async function openEgress(
  { egress, isolation }: Pick<WorkOrder, 'egress' | 'isolation'>,
  runDirectory: string,
): Promise<RunEgress> {
  if (egress === null || isolation === 'directory') return { way: null, close: async () => {} };
  const authority = path.join(runDirectory, 'egress-ca.pem');
  const browser = path.join(runDirectory, 'egress-browser.json');
  await writeFile(authority, egress.ca, { mode: 0o644 });
  await writeFile(browser, browserPolicy(egress.ca), { mode: 0o644 });
  const socket = socketPath(runDirectory, 'egress.sock', socketBase());
  const relay = await startEgressRelay({ url: egress.url, token: egress.token, socket });
  return {
    way: { socket, authority, browser, placeholders: egress.placeholders },
    async close() {
      await relay.close();
      for (const file of [authority, browser]) await rm(file, { force: true });
    },
  };
}

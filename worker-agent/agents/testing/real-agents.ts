// The real agent CLIs for tests: installed once under .runtime/agents of the checkout, kept for the next test run.
import { join } from 'node:path';
import { findNpm, installAgent } from '../install.ts';

export const TEST_TOOL_DIR = join(import.meta.dirname, '../../../.runtime/agents');

/** Installs an agent unless it is there; without network the error says what to do. */
export async function installForTests(name: string): Promise<void> {
  await installAgent(name, { toolDir: TEST_TOOL_DIR, npm: findNpm(), progress() {} });
}

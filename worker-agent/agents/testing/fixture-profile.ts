// Launch profile of the fixture agent in fixtures/acp-agent.ts. Used by the tests of AcpAgent.
import { join } from 'node:path';
import type { LaunchProfile } from '../profiles/profile.ts';

/** The fixture, going wrong in the way that is named. */
export function fixtureProfile(fault = 'none'): LaunchProfile {
  return {
    name: 'fixture',
    title: 'Fixture',
    version: '1.0.0',
    binary: join(import.meta.dirname, '../fixtures/acp-agent.ts'),
    versionQuery: { args: [], input: '' },
    programs: [],
    modes: { plan: 'plan', work: 'work', ask: 'ask' },
    launch: ({ gatewayUrl }) => ({
      argv: [process.execPath, join(import.meta.dirname, '../fixtures/acp-agent.ts'), fault],
      env: { MODEL_URL: gatewayUrl },
      files: { '.fixture/settings.json': '{}' },
    }),
  };
}

// The sandbox as a container of gVisor's real runsc, and what is said where there can be none. Needs root; built by
// scripts/servers/gvisor/build.
import { gvisorPath } from '../../test/support/gvisor.ts';
import { containerHost } from './container-host.ts';
import { testConfinement } from './testing/confinement.ts';
import { testContainer } from './testing/container.ts';

const host = await containerHost('gvisor', gvisorPath);
testConfinement(host);
testContainer(host);

// The sandbox as a container of the real crun, and what is said where there can be none. Needs root.
import { containerHost } from './container-host.ts';
import { testConfinement } from './testing/confinement.ts';
import { testContainer } from './testing/container.ts';

const host = await containerHost('container', process.env.PATH ?? '');
testConfinement(host);
testContainer(host);

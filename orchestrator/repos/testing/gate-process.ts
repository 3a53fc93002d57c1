// A gate in a process of its own, to be killed: serves repository 1 of a store to the run 12-1 and prints its port.
// usage: node gate-process.ts STORE HOME CONFIG
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGit } from '../git.ts';
import { createGitGate } from '../git-gate.ts';

const [dir = '', home = '', configDir = ''] = process.argv.slice(2);
const store = { dir, git: createGit({ path: '/usr/local/bin:/usr/bin:/bin', home, configDir }) };
const gate = createGitGate({ store, isCurrent: async () => true });
const server = createServer((request, response) => {
  void gate(request, response, { run: '12-1', fence: 1, repository: 1 });
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

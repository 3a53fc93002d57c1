// What a scenario begins with, put into its database: projects, workers, queues. Used by simulate.ts.
import { ProjectInput } from '../../protocol/project.ts';
import type { Scenario } from '../../protocol/scenario.ts';
import { SourceInput } from '../../protocol/intake.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { WorkerInput } from '../../protocol/worker.ts';
import type { Database } from '../db/connect.ts';
import { addSource } from '../intake/sources.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import { createProject } from '../tasks/projects.ts';
import { registerWorker } from '../workers/registry.ts';
import { numbered } from './messages.ts';

/** No source of a simulation has a secret. */
const NO_SECRETS: SecretManager = {
  get: async () => undefined,
  put: async () => 1,
  list: async () => [],
  history: async () => [],
  delete: async () => false,
};

/** A worker by its name, and how many runs it may have. */
export interface WorldWorker {
  name: string;
  capacity: number;
}

/** Makes all of it; answers the workers. */
export async function populate(db: Database, scenario: Scenario): Promise<WorldWorker[]> {
  for (const project of scenario.projects)
    for (const name of names(project)) await addProject(db, name, project);
  for (const source of scenario.sources) await addQueue(db, source, projectsNamed(scenario, source.name));
  const workers = scenario.workers.flatMap((worker) =>
    names(worker).map((name) => ({ name, capacity: worker.capacity })),
  );
  for (const { name, capacity } of workers) await addWorker(db, name, capacity);
  return workers;
}

function names({ name, count }: { name: string; count: number }): string[] {
  return count === 1 ? [name] : Array.from({ length: count }, (_, n) => `${name}-${n}`);
}

async function addProject(
  db: Database,
  name: string,
  { repositories = [name], settings }: Scenario['projects'][number],
): Promise<void> {
  const input = ProjectInput.parse({ agent: 'command', agentCommand: ['true'], ...settings, name });
  await createProject(db, {
    input,
    repositories: repositories.map((each) => ({
      name: each,
      origin: `/scenario/${name}/${each}`,
      hosted: false,
      defaultBranch: 'main',
    })),
  });
}

// Tickets may name those projects only that their source knows.
function projectsNamed({ arrivals }: Scenario, source: string): string[] {
  const named = arrivals.flatMap(({ ticket, count }) =>
    ticket?.source !== source || ticket.project === undefined
      ? []
      : Array.from({ length: count }, (_, n) => numbered(ticket.project!, n)),
  );
  return [...new Set(named)];
}

async function addQueue(
  db: Database,
  { name, project, accounts, trust }: Scenario['sources'][number],
  named: string[],
): Promise<void> {
  const rules = Object.entries(accounts).map(([account, whose]) => ({ account, project: whose }));
  const input = SourceInput.parse({
    name,
    kind: 'sqs',
    ...(project !== undefined && { project }),
    trust: { perHour: 100_000, perActorPerHour: 100_000, ...trust },
    settings: {
      queue: `https://sqs.eu-central-1.amazonaws.com/scenario/${name}`,
      projects: [...rules, ...named.map((each) => ({ account: '-', project: each }))],
    },
  });
  await addSource({ db, secrets: NO_SECRETS }, input, 'simulation');
}

async function addWorker(db: Database, name: string, capacity: number): Promise<void> {
  const input = WorkerInput.parse({
    protocol: PROTOCOL_VERSION,
    version: 'simulated',
    capacity,
    agents: [{ name: 'command', version: null }],
    isolations: ['bubblewrap', 'container', 'gvisor', 'directory'],
    host: name,
  });
  await registerWorker(db, name, input);
}

// Runs the pipeline in this process: real git and sandbox processes, an agent of the test's own. For tests of the pipeline.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { WorkOrder } from '../../protocol/worker.ts';
import { CodingAgent, type Phase, type RunEventInput, type TurnResult } from '../agents/coding-agent.ts';
import { runPipeline } from '../pipeline/pipeline.ts';
import { runDirectory, type RunReport } from '../run-directory.ts';
import { runApi } from '../runner/api.ts';
import { stopper } from '../runner/stop.ts';
import { openDirectorySandbox } from '../sandbox/directory.ts';
import { remoteOf } from '../workspace/remote.ts';
import { fakeOrchestrator, type FakeOrchestrator, type FakeRun } from './fake-orchestrator.ts';

export type Turn = { phase: Phase; prompt: string };
/** What the agent does in a turn, in the work tree. */
export type Act = (turn: Turn, tree: string) => Partial<TurnResult> | void;

export interface PipelineTry {
  act: Act;
  plans?: boolean;
  order?: Partial<WorkOrder>;
  startCommit?: string;
}

export interface PipelineDone {
  report: RunReport;
  events: RunEventInput[];
  turns: Turn[];
  run: FakeRun;
  /** A file of the commit that was pushed. */
  show(file: string): string;
}

export interface PipelinePlace extends AsyncDisposable {
  fake: FakeOrchestrator;
  try(attempt: PipelineTry): Promise<PipelineDone>;
}

/** A place with a repository of these files, in which the pipeline can be run. */
export async function pipelinePlace(
  files: Record<string, string> = { 'answer.txt': '41\n' },
): Promise<PipelinePlace> {
  const place = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'autocode-pipeline-')));
  const fake = await fakeOrchestrator(place, files);
  return {
    fake,
    async try({ act, plans = false, order = {}, startCommit }) {
      const given = { verify: [{ name: 'answer', command: 'grep -q 42 answer.txt' }], ...order };
      const run = fake.add(given, startCommit === undefined ? {} : { startCommit });
      const directory = runDirectory(path.join(place, 'state'), run.order.run);
      mkdirSync(directory.path, { recursive: true });
      const { signal } = stopper();
      const events: RunEventInput[] = [];
      const turns: Turn[] = [];
      const PATH = process.env.PATH ?? '';
      const report = await runPipeline({
        order: run.order,
        directory,
        api: runApi({ url: fake.url, order: run.order, signal }),
        log: { event: (event) => events.push(event), raw: () => {} },
        git: { path: PATH, signal },
        remote: remoteOf(fake.url, run.order),
        cacheDir: path.join(place, 'cache'),
        toolDir: place,
        workspace: { overlay: false, owner: null, cacheBytes: 0 },
        openSandbox: async (name) =>
          await openDirectorySandbox({
            run: run.order.run,
            ...directory.sandbox(name),
            gatewayUrl: 'http://127.0.0.1:9',
            toolDir: place,
            path: PATH,
            processes: { mark: place, directory: directory.path },
          }),
        createAgent: (_name, context) => new ScriptedAgent(context, { plans, act, turns }),
        signal,
      });
      const show = (file: string) =>
        execFileSync('git', ['-C', fake.repository, 'show', `${fake.pushed(run)}:${file}`]).toString();
      return { report, events, turns, run, show };
    },
    async [Symbol.asyncDispose]() {
      await fake.close();
      rmSync(place, { recursive: true, force: true });
    },
  };
}

class ScriptedAgent extends CodingAgent {
  readonly name = 'scripted';
  readonly plans: boolean;
  readonly #act: Act;
  readonly #turns: Turn[];

  constructor(
    context: CodingAgent['context'],
    { plans, act, turns }: { plans: boolean; act: Act; turns: Turn[] },
  ) {
    super(context);
    this.plans = plans;
    this.#act = act;
    this.#turns = turns;
  }

  async start(): Promise<{ version: string | null }> {
    return { version: '1.0' };
  }

  async runTask(turn: Turn): Promise<TurnResult> {
    this.#turns.push(turn);
    return { stop: 'done', text: '', error: null, ...this.#act(turn, this.context.sandbox.workspace) };
  }

  spendingReport(): { inputTokens: number; cachedTokens: number; outputTokens: number } {
    return { inputTokens: 0, cachedTokens: 0, outputTokens: 0 };
  }

  budgetCheck(): { ok: boolean; reason: string | null } {
    return { ok: true, reason: null };
  }

  async stop(): Promise<void> {}
}

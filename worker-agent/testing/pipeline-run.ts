// Runs the pipeline in this process: real git and sandbox processes, an agent of the test's own. For tests of the pipeline.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { AgentTokens, PlanStep } from '../../protocol/run.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import { CodingAgent, type Phase, type RunEventInput, type TurnResult } from '../agents/coding-agent.ts';
import { runPipeline } from '../pipeline/pipeline.ts';
import { runDirectory, type RunReport } from '../run-directory.ts';
import { runApi } from '../runner/api.ts';
import { openInbox } from '../runner/inbox.ts';
import { stopper } from '../runner/stop.ts';
import { openDirectorySandbox } from '../sandbox/directory.ts';
import { remoteOf } from '../workspace/remote.ts';
import { fakeOrchestrator, type FakeOrchestrator, type FakeRun } from './fake-orchestrator.ts';

export type Turn = { phase: Phase; prompt: string };
/** What people do meanwhile, and what the agent tells besides. */
export interface Meanwhile {
  say(text: string): void;
  /** Resolves when the turn is interrupted. */
  interrupted: Promise<void>;
  plan(steps: PlanStep[]): void;
}
/** What the agent does in a turn, in the work tree. */
export type Act = (
  turn: Turn,
  tree: string,
  meanwhile: Meanwhile,
) => Partial<TurnResult> | void | Promise<Partial<TurnResult> | void>;

export interface PipelineTry {
  act: Act;
  plans?: boolean;
  order?: Partial<WorkOrder>;
  startCommit?: string;
  /** Done to the run before it begins. */
  begin?(run: FakeRun): void;
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
    async try({ act, plans = false, order = {}, startCommit, begin }) {
      const given = { verify: [{ name: 'answer', command: 'grep -q 42 answer.txt' }], ...order };
      const run = fake.add(given, startCommit === undefined ? {} : { startCommit });
      begin?.(run);
      const directory = runDirectory(path.join(place, 'state'), run.order.run);
      mkdirSync(directory.path, { recursive: true });
      const { signal } = stopper();
      const inbox = openInbox(run.order.messages);
      const say = (text: string) => {
        fake.say(run, text);
        inbox.add(run.messages);
      };
      const events: RunEventInput[] = [];
      const turns: Turn[] = [];
      const PATH = process.env.PATH ?? '';
      const report = await runPipeline({
        order: run.order,
        directory,
        api: runApi({ url: fake.url, order: run.order, signal }),
        inbox,
        log: { event: (event) => events.push(event), raw: () => {} },
        git: { path: PATH, signal },
        remote: (gitPath) => remoteOf(fake.url, run.order, gitPath),
        cacheDir: path.join(place, 'cache'),
        toolDir: place,
        workspace: { overlay: false, owner: null, cacheBytes: 1e9, dependencyBytes: 1e6 },
        openSandbox: async (name) =>
          await openDirectorySandbox({
            run: run.order.run,
            ...directory.sandbox(name),
            gatewayUrl: 'http://127.0.0.1:9',
            toolDir: place,
            path: PATH,
            processes: { mark: place, directory: directory.path },
          }),
        createAgent: (_name, context) => new ScriptedAgent(context, { plans, act, turns, say }),
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
  readonly #say: (text: string) => void;
  #interrupt = () => {};

  constructor(
    context: CodingAgent['context'],
    { plans, act, turns, say }: { plans: boolean; act: Act; turns: Turn[]; say(text: string): void },
  ) {
    super(context);
    this.plans = plans;
    this.#act = act;
    this.#turns = turns;
    this.#say = say;
  }

  async start(): Promise<{ version: string | null }> {
    return { version: '1.0' };
  }

  async runTask(turn: Turn): Promise<TurnResult> {
    this.#turns.push(turn);
    const interrupted = new Promise<void>((resolve) => (this.#interrupt = resolve));
    await setImmediate(); // a turn takes time: what is said in it comes after its begin
    const meanwhile = { say: this.#say, interrupted, plan: this.context.plan };
    const result = await this.#act(turn, this.context.sandbox.workspace, meanwhile);
    return { stop: 'done', text: '', error: null, ...result };
  }

  override interrupt(): void {
    this.#interrupt();
  }

  counted(): AgentTokens {
    return { inputTokens: 100 * this.#turns.length, cachedTokens: 0, outputTokens: 0 };
  }

  protected refusal(): null {
    return null;
  }

  async stop(): Promise<void> {}
}

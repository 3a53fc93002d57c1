// `autocode demo`: from nothing to a verified change, on a sample repository or on the user's own.
import { AutocodeError } from '../../../protocol/errors.ts';
import { Task } from '../../../protocol/task.ts';
import { connect } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { chooseIsolation, isolationFact } from './isolation.ts';
import { ensureDaemon } from '../daemon/start.ts';
import { stopDaemon } from '../daemon/stop.ts';
import { print, printJson } from '../output.ts';
import { loadSettings } from '../settings.ts';
import { watch } from '../task/watch.ts';
import { viewTask } from '../watch/task-view.ts';
import { ensureAgent } from './agent.ts';
import { configureModel, RECORDED, type DemoModel } from './model.ts';
import { allowModel, sampleProject, userProject, type Work } from './project.ts';
import { drawResult, readResult } from './result.ts';
import { teller, type Tell } from './tell.ts';

export interface DemoArgs extends GlobalArgs {
  request: string | undefined;
  repo: string | undefined;
  verify: string[] | undefined;
  allowDirty: boolean;
  modelUrl: string | undefined;
  model: string | undefined;
  modelProtocols: string;
  apiKey: string | undefined;
  apiKeyFile: string | undefined;
  keep: boolean;
}

/** Does a task from start to end; exit code 0 if it was completed. */
export async function demo(args: DemoArgs): Promise<void> {
  const { config } = loadSettings(args);
  checkWords(args, config.models.default);
  const tell = teller(args);
  const agent = args.repo === undefined ? 'qwen-coder' : config.agents.default;
  await ensureAgent(args, agent, tell);
  const model = await chooseModel(args, config.models.default);
  const { daemon, started } = await startDaemon(args, model, tell);
  try {
    const completed = await doTask(
      args,
      { agent, model, configured: config.models.default, daemonUrl: daemon.url, daemonStarted: started },
      tell,
    );
    if (!completed) throw new Exit(1);
  } finally {
    if (started && !args.keep) await stopDaemon(config.dataDir);
  }
}

/** What cannot go together is said before anything is set up. */
function checkWords({ repo, request, modelUrl, verify }: DemoArgs, configured: string | undefined): void {
  if (repo === undefined && (request !== undefined || verify !== undefined)) {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      'A request belongs to a repository of yours; the sample has its own task.',
      {
        remedy: 'Name the repository: autocode demo --repo PATH "what to do" --model-url … --model …',
      },
    );
  }
  if (repo === undefined) return;
  if (request === undefined || request.trim() === '') {
    throw new AutocodeError('ERR_INVALID_INPUT', `What is to be done in ${repo} was not said.`, {
      remedy: `Say it: autocode demo --repo ${repo} "what to do" --model-url … --model …`,
    });
  }
  if (modelUrl === undefined && configured === undefined) {
    throw new AutocodeError(
      'ERR_NO_MODEL',
      'No model is configured or named, and a recording cannot answer for a repository that it was not made from.',
      {
        remedy:
          'Name a model server: --model-url http://127.0.0.1:8000/v1 --model NAME (and --api-key-file FILE).',
      },
    );
  }
}

/** The named model, else for a repository of the user's the configured one, else the recording. */
async function chooseModel(args: DemoArgs, configured: string | undefined): Promise<DemoModel> {
  const { modelUrl, model, repo } = args;
  if (modelUrl !== undefined && model !== undefined)
    return await configureModel({ ...args, modelUrl, model });
  return repo === undefined || configured === undefined
    ? RECORDED
    : { name: configured, recorded: false, changed: false };
}

function modelWords(model: DemoModel, configured: string | undefined): string {
  if (!model.recorded) return model.name;
  const why =
    configured === undefined ? 'NO MODEL IS CONFIGURED' : `${configured} is configured but not asked`;
  return `${model.name}: ${why}, answers come from a recording`;
}

async function startDaemon(args: DemoArgs, model: DemoModel, tell: Tell) {
  const { dataDir } = loadSettings(args).config;
  if (model.changed && (await stopDaemon(dataDir)) !== null)
    tell.note('the daemon is started anew: its configuration has changed');
  const answer = await tell.step(
    'daemon',
    'starting',
    () => ensureDaemon(args),
    ({ daemon, started }) => `${started ? 'started' : 'runs'} at ${daemon.url}`,
  );
  return answer;
}

interface Setting {
  agent: string;
  model: DemoModel;
  configured: string | undefined;
  daemonUrl: string;
  daemonStarted: boolean;
}

/** Registers, gives the task, watches, tells the result; true if the task was completed. */
async function doTask(args: DemoArgs, setting: Setting, tell: Tell): Promise<boolean> {
  const client = connect({ ...args, url: undefined });
  const { agent, model } = setting;
  tell.fact('model', modelWords(model, setting.configured));
  const isolation = await chooseIsolation();
  const work: Work =
    args.repo === undefined
      ? await sampleProject(client, isolation)
      : await userProject(client, { ...args, repo: args.repo, request: args.request ?? '', isolation });
  const { project } = work;
  if (args.modelUrl !== undefined) await allowModel(client, project.name, args.modelUrl);
  tell.fact('project', `${project.name}, ${project.repositories[0]?.origin}`);
  tell.fact(
    'verify',
    project.verify.map((each) => each.command).join('; ') ||
      'NOTHING: no verify command was found or given, so the result is not checked',
  );
  tell.fact('isolation', isolationFact(project, isolation));
  const task = await client.send('POST', '/tasks', Task, {
    ...work.task,
    project: project.name,
    agent,
    model: model.name,
  });
  tell.blank();
  const ended = await watch(
    client,
    task,
    args.json ? { show() {} } : viewTask(task, { verbose: args.verbose, outcome: false }),
  );
  const result = await readResult(client, ended);
  if (args.json) {
    printJson({
      ok: ended.state === 'completed',
      model: { name: model.name, recorded: model.recorded },
      isolation: project.isolation,
      daemon: { url: setting.daemonUrl, started: setting.daemonStarted },
      project,
      task: ended,
      ...result,
    });
  } else
    print(
      '',
      drawResult(ended, result, { recorded: model.recorded, running: args.keep || !setting.daemonStarted }),
    );
  return ended.state === 'completed';
}

// `autocode environment check`, and the versions of tools that `environment suggest` goes by: the worker's own tool asks the programs.
import { createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { Environment } from '../../../protocol/environment.ts';
import { ErrorBody, errorFromBody } from '../../../protocol/errors.ts';
import type { Isolation } from '../../../protocol/project.ts';
import { dataPath } from '../../config/data-directory.ts';
import { connect } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { printable } from '../format.ts';
import { paint, print, printJson } from '../output.ts';
import { readPart } from '../part.ts';
import { loadSettings } from '../settings.ts';
import { routeOf } from './show.ts';

const TOOL = 'worker-agent/workspace/environment-cli.ts';

const Answer = z.object({
  name: z.string(),
  result: z.enum(['ok', 'failed', 'missing']),
  detail: z.string(),
});
export type Answer = z.infer<typeof Answer>;

const MARKS = { ok: ['green', '✓'], failed: ['red', '✗'], missing: ['dim', '-'] } as const;

/** Shows what it is good for on this machine; exit code 1 when an agent does not start in it, or there is a way out. */
export async function checkEnvironment(
  args: GlobalArgs & { name: string; isolation: Isolation },
): Promise<void> {
  const environment = await connect(args).get(routeOf(args.name), Environment);
  const answers = await ask(args, environment, { isolation: args.isolation }, (answer) => {
    if (!args.json) print(lineOf(answer));
  });
  const failed = answers.filter(({ result }) => result === 'failed');
  if (args.json) printJson({ ok: failed.length === 0, digest: environment.digest, answers });
  else
    print(
      '',
      failed.length === 0
        ? `Runs can have environment ${args.name} here.`
        : `Not as it should be: ${failed.map(({ name }) => name).join(', ')}.`,
    );
  if (failed.length > 0) throw new Exit(1);
}

/** The versions of the tools in an environment, by tool. */
export async function toolsIn(args: GlobalArgs, environment: Environment): Promise<Map<string, string>> {
  const answers = await ask(args, environment, { tools: true }, () => {});
  return new Map(answers.flatMap(({ name, result, detail }) => (result === 'ok' ? [[name, detail]] : [])));
}

async function ask(
  args: GlobalArgs,
  { name, digest }: Environment,
  { isolation, tools = false }: { isolation?: Isolation; tools?: boolean },
  tell: (answer: Answer) => void,
): Promise<Answer[]> {
  const { dataDir } = loadSettings(args).config;
  const stateDir = dataPath(dataDir, 'worker');
  const temporary = await mkdtemp(join(tmpdir(), 'autocode-environment-'));
  const answers: Answer[] = [];
  let failure: Error | undefined;
  try {
    const cached = existsSync(join(stateDir, 'cache/environments', digest, 'bytes'));
    const archive = join(temporary, 'archive');
    if (!cached)
      await pipeline(
        Readable.from(await connect(args).bytes(`${routeOf(name)}/archive`)),
        createWriteStream(archive),
      );
    const words = [
      `--state-dir=${stateDir}`,
      `--tool-dir=${dataPath(dataDir, 'agents')}`,
      `--name=${name}`,
      `--digest=${digest}`,
      ...(cached ? [] : [`--archive=${archive}`]),
      ...(isolation === undefined ? [] : [`--isolation=${isolation}`]),
      ...(tools ? ['--tools'] : []),
    ];
    const code = await readPart(TOOL, words, (line) => {
      const said: unknown = JSON.parse(line);
      const refused = ErrorBody.safeParse(said);
      if (refused.success) return void (failure = errorFromBody(refused.data, 500));
      const { answer } = z.object({ answer: Answer }).parse(said);
      answers.push(answer);
      tell(answer);
    });
    if (failure !== undefined) throw failure;
    if (code !== 0) throw new Exit(code);
    return answers;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function lineOf({ name, result, detail }: Answer): string {
  const [style, mark] = MARKS[result];
  return `${paint(style, mark)} ${name}: ${printable(detail)}`;
}

// `autocode replay record`.
import { mkdirSync } from 'node:fs';
import { once } from 'node:events';
import { dirname, join, resolve } from 'node:path';
import { Name } from '../../protocol/ids.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { openDataDirectory } from '../config/data-directory.ts';
import { startRecorder } from '../models/record.ts';
import type { GlobalArgs } from './command.ts';
import { count } from './format.ts';
import { readSecret, serverAddress } from './model-server.ts';
import { print, printJson, printJsonLine } from './output.ts';
import { loadSettings } from './settings.ts';

interface Args extends GlobalArgs {
  name: string;
  modelUrl: string;
  apiKeyFile: string | undefined;
  out: string | undefined;
  port: number;
}

/** Records a model server's answers until Ctrl-C. */
export async function record(args: Args): Promise<void> {
  if (!Name.safeParse(args.name).success) {
    throw new AutocodeError('ERR_INVALID_INPUT', `"${args.name}" is no name for a recording.`, {
      remedy: 'Use 1 to 63 of a-z, 0-9, dot, dash and underscore.',
    });
  }
  const file = resolve(args.out ?? join(recordings(args), `${args.name}.jsonl`));
  mkdirSync(dirname(file), { recursive: true });
  let answers = 0;
  const apiKey = args.apiKeyFile === undefined ? {} : { apiKey: readSecret(args.apiKeyFile) };
  const recorder = await startRecorder({
    ...apiKey,
    upstreamUrl: serverAddress(args.modelUrl),
    file,
    host: '127.0.0.1',
    port: args.port === 0 ? 'auto' : args.port,
    onEntry: (entry) => {
      answers += 1;
      if (args.json) printJsonLine({ turn: entry.turn, usage: entry.answer.usage });
      else
        print(
          `answer ${answers} written (turn ${entry.turn}, ${count(entry.answer.usage.output)} tokens out)`,
        );
    },
  });
  process.stderr.write(
    `Recording at ${recorder.url} into ${file}. Point an agent or an engine of the configuration there; Ctrl-C ends it.\n`,
  );
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await recorder.stop();
  if (args.json) printJson({ file, answers });
  else print(`${answers} answers are in ${file}.`);
}

function recordings(args: GlobalArgs): string {
  return join(
    openDataDirectory(loadSettings(args).config.dataDir).path('worker-artifacts/generated'),
    'recordings',
  );
}

// Looks what an environment is good for on this machine, in a sandbox over it; `autocode environment` runs it as a child process.
// usage: node environment-cli.ts --state-dir DIR --tool-dir DIR --name NAME --digest DIGEST [--archive FILE] [--isolation NAME] [--tools]
// The archive is needed only where the cache has none. Each line is one object: {"answer":…} or {"error":…}.
import { createReadStream } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { AutocodeError, ERRORS } from '../../protocol/errors.ts';
import { programPath } from '../config.ts';
import { confinedHost, isConfined } from '../sandbox/confined.ts';
import { openScratchConfined } from '../sandbox/scratch.ts';
import { checkEnvironment } from '../sandbox/self-test/environment.ts';
import { keepEnvironment } from './environments.ts';

const text = { type: 'string' as const };
process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      'state-dir': text,
      'tool-dir': text,
      name: text,
      digest: text,
      archive: text,
      isolation: { ...text, default: 'bubblewrap' },
      tools: { type: 'boolean', default: false },
    },
  });
  const { 'state-dir': stateDir, 'tool-dir': toolDir, name, digest, archive, isolation, tools } = values;
  const say = (object: unknown) => console.log(JSON.stringify(object));
  try {
    if (stateDir === undefined || toolDir === undefined || name === undefined || digest === undefined)
      throw new AutocodeError(
        'ERR_INVALID_INPUT',
        '--state-dir, --tool-dir, --name and --digest are needed.',
      );
    if (!isConfined(isolation))
      throw new AutocodeError('ERR_INVALID_INPUT', `--isolation ${isolation} is no sandbox.`);
    await mkdir(path.join(stateDir, 'cache'), { recursive: true, mode: 0o700 });
    const cacheDir = path.join(await realpath(stateDir), 'cache');
    const environment = await keepEnvironment(
      { path: programPath(), signal: new AbortController().signal },
      {
        cacheDir,
        environment: { name, digest },
        runDirectory: null,
        download: async () => {
          if (archive !== undefined) return createReadStream(archive);
          throw new AutocodeError('ERR_NOT_FOUND', `The cache has no environment ${name} any more.`);
        },
      },
    );
    const sandbox = await openScratchConfined(await confinedHost(isolation, programPath()), {
      environment,
      toolDir,
    });
    try {
      const options = { name, toolDir, outside: sandbox.directory, toolsOnly: tools };
      await checkEnvironment(sandbox, options, (answer) => say({ answer }));
    } finally {
      await sandbox.close();
    }
    return 0;
  } catch (error) {
    if (!(error instanceof AutocodeError)) throw error;
    const { code, message, remedy } = error;
    say({ error: { code, message, remedy } });
    return ERRORS[code].exit;
  }
}

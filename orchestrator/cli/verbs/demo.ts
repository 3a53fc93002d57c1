// `autocode demo`: definition. The handler is in ../demo/.
import type { Argv } from 'yargs';
import { verb } from '../command.ts';

export const demoVerb = verb({
  command: 'demo [request]',
  describe: 'Set everything up and do a task from start to end',
  examples: [
    ['demo', 'a sample repository, answered from a recording'],
    ['demo --model-url http://127.0.0.1:11434/v1 --model qwen3-coder', 'the same with a real model'],
    ['demo --repo . "Fix the failing test" --model-url … --model …', 'on your own repository'],
  ],
  epilogue:
    'The model is written to the configuration as engine `default`, its key to the sealed secret store, so later tasks use it too.\n' +
    'Exit code: 0 the task was completed, 1 it was not, others as everywhere. --json prints one document at the end.',
  builder: (yargs: Argv) =>
    yargs
      .positional('request', { type: 'string', describe: 'With --repo: what is to be done' })
      .option('repo', { type: 'string', requiresArg: true, describe: 'Your repository: a path or git URL' })
      .option('verify', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: "With --repo: verify command, as 'test=npm test'; found in the repository when left out",
      })
      .option('allow-dirty', {
        type: 'boolean',
        default: false,
        describe: 'With --repo: accept uncommitted changes (the run does not see them)',
      })
      .option('model-url', {
        type: 'string',
        requiresArg: true,
        describe: 'Address of a model server, with its /v1',
      })
      .option('model', { alias: 'm', type: 'string', requiresArg: true, describe: 'Model at that address' })
      .option('api-key', {
        type: 'string',
        requiresArg: true,
        describe: 'Its key; other users can see it while the demo runs',
      })
      .option('api-key-file', {
        type: 'string',
        requiresArg: true,
        describe: 'File with its key; - reads stdin',
      })
      .option('model-protocols', {
        type: 'string',
        requiresArg: true,
        default: 'chat',
        describe: 'What it speaks, of chat,responses,messages',
      })
      .option('keep', {
        type: 'boolean',
        default: true,
        describe: 'Leave the daemon running; --no-keep stops it if the demo started it',
      })
      .implies('model', 'model-url')
      .implies('model-url', 'model')
      .implies('api-key', 'model-url')
      .implies('api-key-file', 'model-url')
      .conflicts('api-key', 'api-key-file'),
  load: async () => (await import('../demo/demo.ts')).demo,
});

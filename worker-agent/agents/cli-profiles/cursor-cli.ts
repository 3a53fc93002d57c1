// Profile of Cursor's CLI (`cursor-agent -p`), written from its public documentation and tried with a program that speaks its
// documented output alone. It is no free software and in no package registry: the user puts it into the tool directory. It
// talks to Cursor's own servers, never to the model gateway.
import { join } from 'node:path';
import { AGENTS } from '../catalogue.ts';
import type { CliProfile } from './profile.ts';
import { readStreamJson } from './stream-json.ts';

/** A word of a command line may be 128 KiB long. */
const LONGEST_ARGUMENT = 120_000;

export const cursorCli: CliProfile = {
  name: 'cursor-cli',
  title: AGENTS['cursor-cli'].title,
  version: null,
  plans: true,
  program: ({ installed }) => [join(installed, 'cursor-agent')],
  settings: () => ({ env: { CI: '1', NO_COLOR: '1' }, files: {} }),
  turn: ({ model, phase, prompt, promptFile, session }) => ({
    args: [
      '--print',
      '--output-format',
      'stream-json',
      '--trust',
      '--model',
      model,
      ...(phase === 'plan' ? ['--mode', 'ask'] : ['--force']),
      ...(session === null ? [] : ['--resume', session]),
      Buffer.byteLength(prompt) <= LONGEST_ARGUMENT
        ? prompt
        : `Your task is in the file ${promptFile}. Read the whole of it and do what it says.`,
    ],
    input: null,
  }),
  read: readStreamJson,
  remedies: [
    {
      error: /not (authenticated|logged in)|authentication required|log ?in|api key/i,
      remedy:
        "Give Cursor's program its login: let `cursor-agent` in the agent's directory be a script that sets CURSOR_API_KEY and starts it (see docs/agents.md).",
    },
    {
      error: /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|fetch failed/,
      remedy:
        "Cursor's program needs Cursor's own servers, which the sandbox does not reach: use another agent, or isolation `directory` in a trusted project.",
    },
  ],
};

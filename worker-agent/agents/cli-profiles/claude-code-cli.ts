// Profile of Claude Code's own command line (`claude -p`), which has limits for the turns and the money of a turn. Its installation
// and its settings are those of `claude-code`.
import { join } from 'node:path';
import { AGENTS } from '../catalogue.ts';
import { claudeCode, TOOLS } from '../profiles/claude-code.ts';
import type { CliProfile } from './profile.ts';
import { readStreamJson } from './stream-json.ts';

const READING_TOOLS = ['Read', 'Grep', 'Glob'];

export const claudeCodeCli: CliProfile = {
  name: 'claude-code-cli',
  title: AGENTS['claude-code-cli'].title,
  version: AGENTS['claude-code-cli'].version,
  plans: true,
  program: ({ installed }) => [join(installed, claudeCode.binary)],
  settings: (input) => claudeCode.launch(input),
  turn: ({ agent, phase, prompt, session }) => ({
    args: [
      '--print',
      '--verbose',
      '--output-format',
      'stream-json',
      '--permission-mode',
      'bypassPermissions',
      '--tools',
      (phase === 'plan' ? READING_TOOLS : TOOLS).join(','),
      ...(agent.maxTurns === undefined ? [] : ['--max-turns', String(agent.maxTurns)]),
      ...(agent.maxUsd === undefined ? [] : ['--max-budget-usd', String(agent.maxUsd)]),
      ...(session === null ? [] : ['--resume', session]),
    ],
    input: prompt,
  }),
  read: readStreamJson,
};

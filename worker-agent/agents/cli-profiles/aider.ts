// Profile of aider, which speaks Chat Completions to the gateway and needs no tool calls: the model writes its edits as text.
// aider has no output for programs and always exits with 0; aider-turn.py runs it and tells what it does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AGENTS } from '../catalogue.ts';
import { PLACEHOLDER_KEY } from '../profiles/profile.ts';
import type { CliProfile, Fact } from './profile.ts';

const LAUNCHER = '.aider/autocode-turn.py';
const METADATA = '.aider/model.json';
const HISTORY = '.aider/chat.md';

/** Nothing that asks a person, reaches out, or touches more than the files of the change. */
const QUIET = [
  '--yes-always',
  '--analytics-disable',
  '--no-check-update',
  '--no-show-release-notes',
  '--no-show-model-warnings',
  '--no-suggest-shell-commands',
  '--no-detect-urls',
  '--no-pretty',
  '--no-fancy-input',
  '--no-stream',
  '--no-gitignore',
  '--no-auto-commits',
  '--no-dirty-commits',
  '--no-auto-lint',
];

/** What aider would otherwise look up on the web; it bounds how much of a conversation is kept. */
const MODEL_INFO = {
  max_input_tokens: 131_072,
  max_output_tokens: 16_384,
  litellm_provider: 'openai',
  mode: 'chat',
};

export const aider: CliProfile = {
  name: 'aider',
  title: AGENTS.aider.title,
  version: AGENTS.aider.version,
  plans: false,
  program: ({ installed, home }) => [
    join(installed, 'python'),
    '-I', // neither the repository's modules nor the home's
    join(home, LAUNCHER),
    join(installed, 'site'),
  ],
  settings: ({ model }) => ({
    env: {
      OPENAI_API_KEY: PLACEHOLDER_KEY,
      AIDER_ANALYTICS: 'false',
      LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      PYTHONDONTWRITEBYTECODE: '1',
    },
    files: {
      [LAUNCHER]: readFileSync(join(import.meta.dirname, 'aider-turn.py'), 'utf8'),
      [METADATA]: JSON.stringify({ [`openai/${model}`]: MODEL_INFO }),
    },
  }),
  turn: ({ gatewayUrl, home, model, promptFile, session }) => ({
    args: [
      '--model',
      `openai/${model}`,
      '--weak-model',
      `openai/${model}`,
      // Over what the repository's own .env says.
      '--openai-api-base',
      `${gatewayUrl}/v1`,
      '--openai-api-key',
      PLACEHOLDER_KEY,
      '--model-metadata-file',
      join(home, METADATA),
      ...QUIET,
      '--chat-history-file',
      join(home, HISTORY),
      '--input-history-file',
      join(home, '.aider/input'),
      '--map-tokens',
      '1024',
      ...(session === null ? [] : ['--restore-chat-history']),
      '--message-file',
      promptFile,
    ],
    input: null,
  }),
  read,
};

/** What aider-turn.py prints. */
const Line = z.discriminatedUnion('type', [
  z.object({ type: z.literal('assistant'), text: z.string() }),
  z.object({ type: z.literal('output'), text: z.string() }),
  z.object({ type: z.literal('usage'), input: z.number(), cached: z.number(), output: z.number() }),
  z.object({ type: z.literal('done') }),
  z.object({ type: z.literal('limit'), message: z.string() }),
  z.object({ type: z.literal('failed'), message: z.string() }),
]);

function read(line: object): Fact[] {
  const { data } = Line.safeParse(line);
  switch (data?.type) {
    case 'assistant':
      return [
        {
          update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: `${data.text}\n` } },
        },
      ];
    case 'output':
      return [{ output: `${data.text}\n` }];
    case 'usage':
      return [{ usage: { inputTokens: data.input, cachedTokens: data.cached, outputTokens: data.output } }];
    case 'done':
      return [{ session: HISTORY }, { ended: 'done', error: null }];
    case 'limit':
    case 'failed':
      return [{ ended: data.type, error: data.message }];
    default:
      return [];
  }
}

// Launch profile of Claude Code, which speaks Messages to the gateway. The adapter that speaks ACP starts Claude Code's own
// program, which comes with the adapter's SDK: one set of versions, as its maker tried it.
import { join } from 'node:path';
import { AGENTS } from '../catalogue.ts';
import { BY_FLAG, PLACEHOLDER_KEY, type LaunchProfile } from './profile.ts';

const PROGRAM = `node_modules/@anthropic-ai/claude-agent-sdk-linux-${process.arch}/claude`;
const ADAPTER = 'node_modules/@agentclientprotocol/claude-agent-acp/dist/index.js';

/** The others ask a person, outlive the turn, move the work out of the work tree, or reach for the web. */
export const TOOLS = ['Bash', 'Edit', 'Glob', 'Grep', 'Read', 'TaskCreate', 'TaskUpdate', 'Write'];

const SETTINGS = {
  cleanupPeriodDays: 1,
  includeCoAuthoredBy: false,
  spinnerTipsEnabled: false,
  autoMemoryEnabled: false,
};

export const claudeCode: LaunchProfile = {
  name: 'claude-code',
  title: AGENTS['claude-code'].title,
  version: '0.100.0', // the adapter's
  binary: PROGRAM,
  versionQuery: BY_FLAG,
  programs: [PROGRAM],
  modes: { plan: 'plan', work: 'bypassPermissions', ask: 'default' },
  // A session with a title spares the model call that would find one.
  sessionMeta: { claudeCode: { options: { tools: TOOLS, promptSuggestions: false, title: 'task' } } },
  launch: ({ installed, node, home, gatewayUrl, model }) => ({
    argv: [node, join(installed, ADAPTER)],
    env: {
      ANTHROPIC_BASE_URL: gatewayUrl,
      ANTHROPIC_AUTH_TOKEN: PLACEHOLDER_KEY,
      ANTHROPIC_MODEL: model,
      ANTHROPIC_SMALL_FAST_MODEL: model,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
      ANTHROPIC_DEFAULT_SONNET_MODEL: model,
      ANTHROPIC_DEFAULT_OPUS_MODEL: model,
      CLAUDE_CONFIG_DIR: join(home, '.claude'),
      CLAUDE_CODE_EXECUTABLE: join(installed, PROGRAM),
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      CLAUDE_CODE_MAX_RETRIES: '1',
      CLAUDE_CODE_ENABLE_PROMPT_SUGGESTION: 'false',
      DISABLE_AUTOUPDATER: '1',
      DISABLE_TELEMETRY: '1',
      DISABLE_ERROR_REPORTING: '1',
      ENABLE_TOOL_SEARCH: 'false', // it would put a placeholder among the tools
      // A local model may think for long before its first word; the run's deadline is the limit.
      API_TIMEOUT_MS: '600000',
      // Refuses to work unasked as root otherwise; in isolation `directory` the agent is the worker's own user.
      IS_SANDBOX: '1',
    },
    files: { '.claude/settings.json': JSON.stringify(SETTINGS, null, 2) },
  }),
};

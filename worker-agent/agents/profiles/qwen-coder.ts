// Launch profile of Qwen Code (`qwen --acp`), which speaks Chat Completions to the gateway.
import { join } from 'node:path';
import { AGENTS } from '../catalogue.ts';
import { BY_FLAG, PLACEHOLDER_KEY, type LaunchProfile } from './profile.ts';

/**
 * Tools that are of no use, or harm, where nobody sits at a terminal: they ask a person, outlive the turn, or move
 * the work out of the work tree. They also lengthen every request.
 */
const DISABLED_TOOLS = [
  'agent',
  'ask_user_question',
  'create_sub_session',
  'cron_create',
  'cron_delete',
  'cron_list',
  'enter_plan_mode',
  'enter_worktree',
  'exit_plan_mode',
  'exit_worktree',
  'get_goal',
  'list_agents',
  'loop_wakeup',
  'monitor',
  'notebook_edit',
  'propose_goal',
  'record_artifact',
  'report_findings',
  'send_message',
  'skill',
  'task_stop',
  'update_goal',
];

const SETTINGS = {
  general: {
    enableAutoUpdate: false,
    disableAutoUpdate: true,
    disableUpdateNag: true,
    gitCoAuthor: { commit: false, pr: false },
  },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
  memory: { enableManagedAutoMemory: false, enableManagedAutoDream: false },
  ui: { enableFollowupSuggestions: false },
  security: { auth: { selectedType: 'openai' } },
  skills: { disabledLevels: ['bundled', 'user', 'extension'] },
  tools: { disabled: DISABLED_TOOLS },
  // A local model may think for long before its first word; the run's deadline is the limit.
  model: { generationConfig: { maxRetries: 1, timeout: 600_000 } },
};

const SETTINGS_PATH = '.qwen/system-settings.json';

export const qwenCoder: LaunchProfile = {
  name: 'qwen-coder',
  title: AGENTS['qwen-coder'].title,
  version: AGENTS['qwen-coder'].version,
  binary: 'node_modules/@qwen-code/qwen-code/cli.js',
  versionQuery: BY_FLAG,
  programs: ['node_modules/@qwen-code/qwen-code/vendor/ripgrep/x64-linux/rg'],
  modes: { plan: 'plan', work: 'yolo', ask: 'default' },
  launch: ({ installed, node, home, gatewayUrl, model }) => ({
    argv: [node, join(installed, qwenCoder.binary), '--acp', '--auth-type', 'openai'],
    env: {
      OPENAI_BASE_URL: `${gatewayUrl}/v1`,
      OPENAI_API_KEY: PLACEHOLDER_KEY,
      OPENAI_MODEL: model,
      // Without it a child is started that outlives a signal to the parent.
      QWEN_CODE_NO_RELAUNCH: 'true',
      QWEN_TELEMETRY_ENABLED: 'false',
      // System settings: a repository's own .qwen/settings.json does not override them.
      QWEN_CODE_SYSTEM_SETTINGS_PATH: join(home, SETTINGS_PATH),
    },
    files: { [SETTINGS_PATH]: JSON.stringify(SETTINGS, null, 2) },
  }),
};

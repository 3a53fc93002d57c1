// Launch profile of Codex, which speaks Responses to the gateway: one program, the adapter with Codex in it.
import { join } from 'node:path';
import { AGENTS } from '../catalogue.ts';
import { PLACEHOLDER_KEY, type LaunchProfile } from './profile.ts';

const PROGRAM = `node_modules/@zed-industries/codex-acp-linux-${process.arch}/bin/codex-acp`;

// It knows no --version.
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: 1, clientCapabilities: {} },
};

/** Codex's own sandbox cannot be set up inside ours; it asks before each command that may change something, and we answer. */
function settings(gatewayUrl: string, model: string): string {
  return `model = ${JSON.stringify(model)}
model_provider = "autocode"
approval_policy = "untrusted"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
web_search = "disabled"

[analytics]
enabled = false

[feedback]
enabled = false

[otel]
exporter = "none"
metrics_exporter = "none"

[features]
apps = false
goals = false
multi_agent = false
plugins = false

[skills.bundled]
enabled = false

[history]
persistence = "none"

[model_providers.autocode]
name = "autocode"
base_url = ${JSON.stringify(`${gatewayUrl}/v1`)}
env_key = "AUTOCODE_GATEWAY_KEY"
wire_api = "responses"
supports_websockets = false
request_max_retries = 1
stream_max_retries = 0
stream_idle_timeout_ms = 600000
`;
}

export const codex: LaunchProfile = {
  name: 'codex',
  title: AGENTS.codex.title,
  version: AGENTS.codex.version,
  binary: PROGRAM,
  versionQuery: { args: [], input: `${JSON.stringify(INITIALIZE)}\n` },
  programs: [PROGRAM],
  modes: null,
  notices: /^Model metadata for `[^`]*` not found\./,
  launch: ({ installed, home, gatewayUrl, model }) => ({
    argv: [join(installed, PROGRAM)],
    env: {
      CODEX_HOME: join(home, '.codex'),
      AUTOCODE_GATEWAY_KEY: PLACEHOLDER_KEY,
      NO_BROWSER: '1',
    },
    files: { '.codex/config.toml': settings(gatewayUrl, model) },
  }),
};

// The gateways that Autocode's is measured beside: the parse floor, Portkey and LiteLLM, each a process of its own in
// front of the same engine.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/ports.ts';
import { start } from '../support/processes.ts';

/** Something that streams Chat Completions under `url`. */
export interface Served {
  name: string;
  url: string;
  model: string;
  headers(stream: number): Record<string, string>;
  /** Whose processor time is measured: the gateway's first. */
  pids: number[];
  stop(): Promise<void>;
}

const PEERS = join(import.meta.dirname, '../../.runtime/peers');
const CHAT = '/v1/chat/completions';

/** Forty lines that parse and pipe. */
export async function parseFloor(engine: number): Promise<Served> {
  const program = join(import.meta.dirname, 'parse-gateway.ts');
  const { pid, line, stop } = await start([process.execPath, program, String(engine)], { line: true });
  return {
    name: 'parse floor',
    url: `http://127.0.0.1:${line}${CHAT}`,
    model: 'bench',
    headers: () => ({}),
    pids: [pid],
    stop,
  };
}

/** Portkey's gateway; installed from bench/peers' lock. */
export async function portkey(engine: number): Promise<Served> {
  execFileSync(join(import.meta.dirname, 'install'), { stdio: ['ignore', 'ignore', 'inherit'] });
  const port = await freePort();
  const program = join(PEERS, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  const { pid, stop } = await start([process.execPath, program, `--port=${port}`, '--headless'], {
    env: { NODE_ENV: 'production' },
    answersAt: `http://127.0.0.1:${port}/`,
  });
  const headers = {
    authorization: 'Bearer bench',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${engine}/v1`,
  };
  return {
    name: 'Portkey',
    url: `http://127.0.0.1:${port}${CHAT}`,
    model: 'bench',
    headers: () => headers,
    pids: [pid],
    stop,
  };
}

const LITELLM_ENVIRONMENT = {
  LITELLM_LOCAL_MODEL_COST_MAP: 'True',
  LITELLM_LOG: 'ERROR',
  LITELLM_TELEMETRY: 'False',
  LITELLM_MODE: 'PRODUCTION',
};

/** LiteLLM's proxy with one worker; in a Python environment that is made for it. Its configuration goes into the directory. */
export async function litellm(engine: number, directory: string): Promise<Served> {
  execFileSync(join(import.meta.dirname, 'install-litellm'), { stdio: ['ignore', 'ignore', 'inherit'] });
  const port = await freePort();
  const config = {
    model_list: [
      {
        model_name: 'bench',
        litellm_params: {
          model: 'openai/bench',
          api_base: `http://127.0.0.1:${engine}/v1`,
          api_key: 'bench',
        },
      },
    ],
    litellm_settings: { telemetry: false, num_retries: 0, request_timeout: 60 },
    general_settings: { master_key: 'sk-bench' },
  };
  const file = join(directory, 'litellm.yaml');
  writeFileSync(file, JSON.stringify(config));
  const command = join(PEERS, 'litellm/bin/litellm');
  const flags = ['--config', file, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'];
  const { pid, stop } = await start([command, ...flags, '--telemetry', 'False'], {
    env: LITELLM_ENVIRONMENT,
    answersAt: `http://127.0.0.1:${port}/health/liveliness`,
  });
  const headers = { authorization: 'Bearer sk-bench' };
  const url = `http://127.0.0.1:${port}${CHAT}`;
  return { name: 'LiteLLM', url, model: 'bench', headers: () => headers, pids: [pid], stop };
}

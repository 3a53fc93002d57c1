// The gateway before the official Python SDKs: every protocol of clients, streamed and not, in front of engines that
// speak Chat Completions alone or Messages alone.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gatewayRig } from '../../orchestrator/gateway/testing/rig.ts';
import { sendBody, sendStream } from '../../orchestrator/models/testing/fake-engine.ts';
import { encodeEvent } from '../../orchestrator/models/wire/sse.ts';
import { WIRES } from '../../orchestrator/models/wire/table.ts';

const PYTHON = path.join(import.meta.dirname, '../../.runtime/servers/python-sdks/bin/python');
const SCRIPT = path.join(import.meta.dirname, 'python-sdks/ask.py');
const REPLY = {
  id: 'x',
  model: 'far',
  text: 'Hello.',
  toolCalls: [{ name: 'edit', arguments: '{"a":1}', freeform: false }],
  tokens: { input: 1000, cached: 900, output: 10 },
};

for (const protocol of ['chat', 'messages'] as const) {
  test(`the Python SDKs get their answers from an engine that speaks ${protocol} alone`, async () => {
    await using rig = await gatewayRig({
      engines: (url) => [
        {
          kind: 'upstream',
          name: 'far',
          url,
          protocols: [protocol],
          queue: 10,
          queueSeconds: 10,
          models: [{ name: 'm' }],
        },
      ],
    });
    const wire = WIRES[protocol];
    rig.engine.answers((response, { body }) => {
      if ((JSON.parse(body) as { stream?: boolean }).stream !== true)
        return sendBody(response, 200, wire.whole(REPLY));
      sendStream(response, wire.events(REPLY).map(encodeEvent).join(''));
    });
    const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, rig.gateway.url, 'far/m'], {
      env: { GATEWAY_KEY: rig.key },
    });
    const told = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const asked = ['chat', 'messages', 'responses'].flatMap((client) =>
      [false, true].map((stream) => ({ client, stream, text: 'Hello.', calls: [['edit', { a: 1 }]] })),
    );
    assert.deepEqual(told.slice(0, 6), asked);
    assert.deepEqual(told.slice(6, 8), [{ models: ['far/m'] }, { models: ['far/m'] }]);
    assert.match(String(told[8]?.refused), /no model .*none.*far\/m/);
    for (const call of await rig.calls())
      assert.deepEqual([call.input_tokens, call.cached_tokens, call.output_tokens], [1000, 900, 10]);
  });
}

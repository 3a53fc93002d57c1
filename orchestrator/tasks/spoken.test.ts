import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { WorkerInput } from '../../protocol/worker.ts';
import { testDatabase } from '../../test/support/database.ts';
import { registerWorker } from '../workers/registry.ts';
import { checkSpoken } from './spoken.ts';

test('a model is refused for an agent whose protocol cannot be spoken with it', async () => {
  await using db = await testDatabase();
  const input = WorkerInput.parse({
    protocol: PROTOCOL_VERSION,
    version: '1',
    capacity: 1,
    host: 'h',
    agents: [
      { name: 'codex', version: '1', protocol: 'responses' },
      { name: 'command', version: null, protocol: null },
      { name: 'of-an-older-worker', version: '1' },
    ],
  });
  await registerWorker(db.pool, 'w', input);
  const spokenBy = (model: string) =>
    model === 'gpu/coder'
      ? (['chat', 'messages'] as const)
      : model === 'gpu/other'
        ? (['responses'] as const)
        : undefined;
  await assert.rejects(checkSpoken(db.pool, 'codex', 'gpu/coder', spokenBy), {
    code: 'ERR_MODEL_UNSUITED',
    message:
      'The agent codex speaks responses, which the model gpu/coder does not: it speaks chat, messages.',
    remedy: /autocode model list/,
  });
  await checkSpoken(db.pool, 'codex', 'gpu/other', spokenBy);
  await checkSpoken(db.pool, 'codex', 'of/nobody', spokenBy);
  for (const agent of ['command', 'of-an-older-worker', 'unheard-of'])
    await checkSpoken(db.pool, agent, 'gpu/coder', spokenBy);
});

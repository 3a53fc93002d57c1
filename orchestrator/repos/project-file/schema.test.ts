import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFileSchema } from './schema.ts';

test('docs/autocode.schema.json is what the protocol says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/autocode.schema.json'), 'utf8');
  assert.equal(
    page,
    projectFileSchema(),
    'run `node orchestrator/repos/project-file/schema.ts > docs/autocode.schema.json`',
  );
});

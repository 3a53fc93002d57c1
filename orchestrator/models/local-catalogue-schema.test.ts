import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { localCatalogueSchema } from './local-catalogue-schema.ts';

test('docs/models.schema.json is what the protocol says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/models.schema.json'), 'utf8');
  assert.equal(
    page,
    localCatalogueSchema(),
    'run `node orchestrator/models/local-catalogue-schema.ts > docs/models.schema.json`',
  );
});

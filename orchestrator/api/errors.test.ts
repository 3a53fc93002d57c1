import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FastifyError } from 'fastify';
import { asAutocodeError } from './errors.ts';

test('what the database or the disk said is told as what it is', () => {
  for (const [code, told] of [
    ['53100', 'ERR_DISK_FULL'],
    ['ENOSPC', 'ERR_DISK_FULL'],
    ['EDQUOT', 'ERR_DISK_FULL'],
    ['57P01', 'ERR_DATABASE'],
    ['53300', 'ERR_DATABASE'],
    ['ECONNREFUSED', 'ERR_DATABASE'],
    ['23505', 'ERR_INTERNAL'],
  ] as const) {
    const cause = Object.assign(new Error('it said so'), { code });
    const error = asAutocodeError(cause as unknown as FastifyError);
    assert.deepEqual([error.code, error.cause], [told, cause], code);
    assert.ok(error.remedy, code);
  }
});

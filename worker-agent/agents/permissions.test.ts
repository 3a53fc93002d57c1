import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PermissionOption, ToolKind } from '@agentclientprotocol/sdk';
import { allowed, answerPermission } from './permissions.ts';

test('a plan may read, search and think, and nothing else', () => {
  const kinds: ToolKind[] = [
    'read',
    'search',
    'think',
    'edit',
    'delete',
    'move',
    'execute',
    'fetch',
    'switch_mode',
    'other',
  ];
  assert.deepEqual(
    kinds.filter((kind) => allowed('plan', kind)),
    ['read', 'search', 'think'],
  );
  assert.ok(kinds.every((kind) => allowed('execute', kind) && allowed('adjust', kind)));
});

test('the answer is for this once where the agent offers it, and a cancel where it offers nothing', () => {
  const option = (kind: PermissionOption['kind']): PermissionOption => ({ optionId: kind, kind, name: kind });
  const answer = (kinds: PermissionOption['kind'][], allow: boolean) => {
    const request = { sessionId: 's', toolCall: { toolCallId: '1' }, options: kinds.map(option) };
    const { outcome } = answerPermission(request, allow);
    return outcome.outcome === 'selected' ? outcome.optionId : outcome.outcome;
  };
  assert.equal(answer(['allow_always', 'allow_once', 'reject_once'], true), 'allow_once');
  assert.equal(answer(['allow_always', 'reject_once'], true), 'allow_always');
  assert.equal(answer(['allow_once', 'reject_always'], false), 'reject_always');
  assert.equal(answer(['allow_once'], false), 'cancelled');
});

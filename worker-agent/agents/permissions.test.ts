import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PermissionOption, ToolKind } from '@agentclientprotocol/sdk';
import { answerPermission, denied, refusal } from './permissions.ts';

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
    kinds.filter((kind) => refusal('plan', kind, {}) === null),
    ['read', 'search', 'think'],
  );
  for (const phase of ['execute', 'adjust'] as const)
    assert.ok(kinds.every((kind) => refusal(phase, kind, {}) === null));
});

test('what the project denies is denied in every phase, with the reason; what it allows does not widen the plan', () => {
  const permissions = { execute: 'deny', search: 'deny', edit: 'allow' } as const;
  assert.deepEqual(denied(permissions), ['execute', 'search']);
  for (const phase of ['plan', 'execute', 'adjust'] as const)
    assert.equal(refusal(phase, 'search', permissions), 'the project denies tools of the kind search');
  assert.equal(refusal('execute', 'edit', permissions), null);
  assert.equal(refusal('plan', 'edit', permissions), 'nothing may be changed or run while planning');
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

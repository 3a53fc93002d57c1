import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent } from '../../../protocol/log.ts';
import { addEvent, type Entry } from './run-feed.ts';

test('pieces of one thing are one entry: words, states of calls, files, output, steps from their beginning to their end', () => {
  const entries: Entry[] = [];
  const tool = { type: 'tool_call', kind: 'edit' } as const;
  const events: RunEvent[] = [
    { t: 1, type: 'step', step: 'execute', status: 'started', iteration: 1 },
    { t: 2, type: 'message', role: 'agent', text: 'I will ' },
    { t: 3, type: 'message', role: 'agent', text: 'write it.' },
    { t: 4, ...tool, id: 'a', title: 'Edit a', status: 'pending' },
    { t: 5, ...tool, id: 'b', title: 'Edit b', status: 'pending' },
    { t: 6, type: 'message', role: 'thought', text: 'hm' },
    { t: 7, ...tool, id: 'a', title: 'Edit a', status: 'completed' },
    { t: 8, type: 'file_change', path: 'x', change: 'added' },
    { t: 9, type: 'file_change', path: 'x', change: 'modified' },
    { t: 10, type: 'usage', inputTokens: 1, cachedTokens: 0, outputTokens: 1 },
    { t: 11, type: 'step', step: 'execute', status: 'failed', detail: 'no' },
    { t: 12, type: 'output', source: 'verify:test', text: '1\n' },
    { t: 13, type: 'output', source: 'verify:test', text: '2\n' },
    { t: 14, type: 'output', source: 'verify:lint', text: '3\n' },
    { t: 15, type: 'error', message: 'over' },
  ];
  for (const [index, event] of events.entries()) addEvent(entries, event, index + 1);
  assert.deepEqual(
    entries.map((entry) => {
      if (entry.kind === 'step') return [entry.step.status, entry.step.t, entry.endedAt, entry.step.detail];
      if (entry.kind === 'message') return [entry.role, entry.text];
      if (entry.kind === 'tools') return entry.calls.map(({ id, status, t }) => `${id} ${status} ${t}`);
      if (entry.kind === 'files') return entry.files.map(({ path, change }) => `${path} ${change}`);
      return [entry.kind, entry.text];
    }),
    [
      ['failed', 1, 11, 'no'],
      ['agent', 'I will write it.'],
      ['a completed 4', 'b pending 5'],
      ['thought', 'hm'],
      ['x modified'],
      ['output', '1\n2\n'],
      ['output', '3\n'],
      ['notice', 'over'],
    ],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobDifference } from './answers.ts';
import { changesOf, effectsOf } from './difference.ts';

const field = (Name: string, Old: string, New: string, Type = 'Edited') => ({ Type, Name, Old, New });

test('a difference is told field by field with its place, without what Nomad fills in', () => {
  const difference = JobDifference.parse({
    Type: 'Edited',
    ID: 'autocode-worker',
    Fields: [field('Meta[agent]', 'codex', 'aider'), field('JobModifyIndex', '7', '9')],
    Objects: null,
    TaskGroups: [
      {
        Type: 'Edited',
        Name: 'agent',
        Fields: [field('Count', '4', '5')],
        Objects: null,
        Tasks: [
          {
            Type: 'Edited',
            Name: 'claimer',
            Fields: [field('Env[AUTOCODE_URL]', '', 'https://10.0.0.5:7443', 'Added')],
            Objects: [
              {
                Type: 'Edited',
                Name: 'Resources',
                Fields: [field('MemoryMB', '2048', '1024')],
                Objects: null,
              },
            ],
          },
          { Type: 'None', Name: 'other', Fields: [field('Kind', 'a', 'a', 'None')], Objects: null },
        ],
        Updates: { create: 1, 'create/destroy update': 4 },
      },
    ],
  });
  assert.deepEqual(changesOf(difference), [
    { kind: 'edited', what: 'Meta[agent]', old: 'codex', new: 'aider' },
    { kind: 'edited', what: 'group agent › Count', old: '4', new: '5' },
    { kind: 'added', what: 'task claimer › Env[AUTOCODE_URL]', old: '', new: 'https://10.0.0.5:7443' },
    { kind: 'edited', what: 'task claimer › Resources › MemoryMB', old: '2048', new: '1024' },
  ]);
  assert.deepEqual(effectsOf(difference), [
    'agent: 1 will be placed',
    'agent: 4 will be replaced, one after the other',
  ]);
});

test('a job that is not there yet is one line, and one that stays is none', () => {
  const groups = [
    { Type: 'Added', Name: 'agent', Fields: [field('Count', '', '4', 'Added')], Objects: null },
  ];
  const added = JobDifference.parse({
    Type: 'Added',
    ID: 'w',
    Fields: [],
    Objects: null,
    TaskGroups: groups,
  });
  assert.deepEqual(changesOf(added), [{ kind: 'added', what: 'job w', old: '', new: '4 × agent' }]);
  const same = JobDifference.parse({ Type: 'None', ID: 'w', Fields: null, Objects: null, TaskGroups: null });
  assert.deepEqual([changesOf(same), effectsOf(same)], [[], []]);
});

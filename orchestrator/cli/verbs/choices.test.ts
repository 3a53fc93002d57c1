import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as protocolBudget from '../../../protocol/budget.ts';
import * as protocolEvents from '../../../protocol/event.ts';
import * as protocolModels from '../../../protocol/model.ts';
import * as protocolPlacement from '../../../protocol/placement.ts';
import * as protocolProjects from '../../../protocol/project.ts';
import * as protocolRuns from '../../../protocol/run.ts';
import * as protocolScheduling from '../../../protocol/scheduling.ts';
import * as protocolTasks from '../../../protocol/task.ts';
import * as protocolTraffic from '../../../protocol/traffic.ts';
import * as choices from './choices.ts';

test('what help offers to choose from is what the protocol knows', () => {
  assert.deepEqual(choices.FILE_SETTINGS, protocolProjects.FILE_SETTINGS);
  assert.deepEqual(choices.ISOLATIONS, protocolProjects.ISOLATIONS);
  assert.deepEqual(choices.FORGE_KINDS, protocolProjects.FORGE_KINDS);
  assert.deepEqual(choices.MERGE_METHODS, protocolProjects.MERGE_METHODS);
  assert.deepEqual(choices.PLACEMENT_CHOICES, protocolPlacement.PLACEMENT_CHOICES);
  assert.deepEqual(choices.TASK_STATES, protocolTasks.TASK_STATES);
  assert.deepEqual(choices.RUN_STATES, protocolRuns.RUN_STATES);
  assert.deepEqual(choices.MODEL_ROLES, protocolModels.MODEL_ROLES);
  assert.deepEqual(choices.PERIODS, protocolBudget.PERIODS);
  assert.deepEqual(choices.GROUPINGS, protocolBudget.GROUPINGS);
  assert.deepEqual(choices.AT_DEADLINE, protocolScheduling.AT_DEADLINE);
  assert.deepEqual(choices.TRAFFIC_DECISIONS, protocolTraffic.TRAFFIC_DECISIONS);
  assert.deepEqual(choices.TRAFFIC_GROUPS, protocolTraffic.TRAFFIC_GROUPS);
  assert.deepEqual(choices.EVENT_KINDS, protocolEvents.EVENT_KINDS);
});

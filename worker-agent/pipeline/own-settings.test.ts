import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeOwnSettings } from './own-settings.ts';
import { newPipeline, type PipelineOptions } from './run-record.ts';

function pipelineOf() {
  const notices: string[] = [];
  const options = {
    order: {
      verify: [{ name: 'test', command: 'npm test' }],
      repositories: [{ name: 'api' }],
      limits: { maxIterations: 4, verifyTimeoutSeconds: 900, verifyOutputBytes: 1000 },
    },
    log: { event: ({ text }: { text: string }) => notices.push(text), raw: () => {} },
  } as unknown as PipelineOptions;
  return { pipeline: newPipeline(options), notices };
}

test('the file of the base decides how the run is verified, and tightens its limits', () => {
  const { pipeline, notices } = pipelineOf();
  takeOwnSettings(pipeline, {
    verify: [{ name: 'all', command: 'make check' }],
    limits: { maxIterations: 2, verifyTimeoutMinutes: 5 },
    instructions: 'Use tabs.',
  });
  const { order, record, instructions } = pipeline;
  assert.deepEqual([order.limits.maxIterations, order.limits.verifyTimeoutSeconds], [2, 300]);
  assert.deepEqual(order.verify, [{ name: 'all', command: 'make check' }]);
  assert.deepEqual(record.checks, [{ name: 'all', command: 'make check', base: null, head: null }]);
  assert.equal(instructions, 'Use tabs.');
  assert.equal(notices.length, 1);
});

test('a wish beyond a limit is told and does not hold', () => {
  const { pipeline, notices } = pipelineOf();
  takeOwnSettings(pipeline, { limits: { maxIterations: 50, verifyTimeoutMinutes: 60 } });
  assert.deepEqual(pipeline.order.limits, {
    maxIterations: 4,
    verifyTimeoutSeconds: 900,
    verifyOutputBytes: 1000,
  });
  assert.match(notices.join(' '), /maxIterations of 50; the limit here is 4/);
  assert.match(notices.join(' '), /verifyTimeoutMinutes of 60; the limit here is 15/);
});

test('without a file all stays as it was ordered', () => {
  const { pipeline, notices } = pipelineOf();
  const { order } = pipeline;
  takeOwnSettings(pipeline, undefined);
  assert.deepEqual(pipeline.order, order);
  assert.deepEqual([pipeline.instructions, notices], [null, []]);
});

test('a command that runs in a repository which the task does not have is left out, and the log says so', () => {
  const { pipeline, notices } = pipelineOf();
  takeOwnSettings(pipeline, {
    verify: [
      { name: 'unit', command: 'npm test', in: 'api' },
      { name: 'pages', command: 'npm test', in: 'web' },
    ],
  });
  assert.deepEqual(
    pipeline.record.checks.map(({ name }) => name),
    ['unit'],
  );
  assert.match(notices.at(-1) ?? '', /command pages is left out: it runs in web/);
});

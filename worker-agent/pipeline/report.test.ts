// What an investigation ends with: real files in a sandbox, an agent of the test's own.
import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { WorkOrder } from '../../protocol/worker.ts';
import { pipelinePlace, type Act, type PipelineDone } from '../testing/pipeline-run.ts';
import { parseReport } from './report.ts';

const WHOLE = `Some words before.

# What happened
The till was slow.
## Evidence:
\`answer.txt\` says 41.
# suspected change
None: it was so from the start.
# Proposed action
- Set it to 42.
`;
const REPORT = {
  whatHappened: 'The till was slow.',
  evidence: '`answer.txt` says 41.',
  suspectedChange: 'None: it was so from the start.',
  proposedAction: '- Set it to 42.',
};

const place = await pipelinePlace();
after(async () => await place[Symbol.asyncDispose]());

const task = {
  id: 1,
  title: 'Alarm cpu',
  body: '',
  acceptance: [],
  targetFiles: [],
  kind: 'investigate',
} satisfies WorkOrder['task'];

/** An investigation whose agent does this with the file of its report. */
async function investigate(
  act: (file: string, ...rest: Parameters<Act>) => void,
  order: Partial<WorkOrder> = {},
): Promise<PipelineDone> {
  let file: string | undefined;
  return await place.try({
    order: { task, verify: [], ...order },
    act(...rest) {
      file ??= /Write it to (\S+), as Markdown/.exec(rest[0].prompt)?.[1];
      act(file!, ...rest);
    },
  });
}

test('the report is what the run ends with, whether or not it has changed anything', async () => {
  const found = await investigate((file) => writeFileSync(file, WHOLE));
  assert.partialDeepStrictEqual(found.report, { outcome: 'no-change', report: REPORT, headCommits: [] });
  assert.match(found.report.reason!, /Investigated: see its report/);
  assert.match(found.turns[0]!.prompt, /^Investigate what the task describes/);
  const mended = await investigate(
    (file, _turn, tree) => {
      writeFileSync(file, WHOLE);
      writeFileSync(path.join(tree, 'answer.txt'), '42\n');
    },
    { verify: [{ name: 'answer', command: 'grep -q 42 answer.txt' }] },
  );
  assert.partialDeepStrictEqual(mended.report, { outcome: 'verified', report: REPORT });
  assert.deepEqual(
    mended.report.checks.map(({ name, head }) => [name, head?.status]),
    [
      ['answer', 'passed'],
      ['report', 'passed'],
    ],
  );
});

test('without a report the work goes back to the agent, and fails in the end with what is missing', async () => {
  const { report, turns } = await investigate((file, { phase }) => {
    if (phase === 'adjust') writeFileSync(file, WHOLE.replace('- Set it to 42.', ''));
  });
  assert.partialDeepStrictEqual(report, { outcome: 'failed', cause: 'agent' });
  assert.match(report.reason!, /these checks do not pass after 2 iterations: report \(failed/);
  assert.match(turns[1]!.prompt, /The check "report".*\n<output>\nThe file report\.md is not there\.\n/);
  assert.match(report.checks[0]!.head!.output, /nothing under "# Proposed action"/);
  assert.equal(report.report, undefined);
});

test('a report that a link stands for is not read', async () => {
  const { report } = await investigate((file) => {
    rmSync(file, { force: true });
    symlinkSync('/etc/passwd', file);
  });
  assert.match(report.checks[0]!.head!.output, /report\.md is a link/);
});

test('checks that do not pass on what was found do not undo the report', async () => {
  const { report } = await investigate((file) => writeFileSync(file, WHOLE), {
    verify: [{ name: 'answer', command: 'false' }],
  });
  assert.partialDeepStrictEqual(report, { outcome: 'no-change', report: REPORT });
});

test('other work has no report, and its agent hears of none', async () => {
  const { report, turns } = await place.try({
    act: (_turn, tree) => writeFileSync(path.join(tree, 'answer.txt'), '42\n'),
  });
  assert.equal(report.outcome, 'verified');
  assert.doesNotMatch(turns[0]!.prompt, /investigation/);
});

test('the sections are found by their headings, in any order, and each must say something', () => {
  const turned = WHOLE.split(/^(?=#)/m)
    .slice(1)
    .toReversed()
    .join('\n');
  assert.deepEqual(parseReport(turned), { report: REPORT });
  assert.deepEqual(parseReport('# Evidence\nx'), {
    wrong: 'It has nothing under "# What happened", "# Suspected change", "# Proposed action".',
  });
  assert.match((parseReport(WHOLE + 'x'.repeat(20_001)) as { wrong: string }).wrong, /20000/);
});

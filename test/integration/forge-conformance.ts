// What every forge with pull requests has to do, whatever it is: one list of cases, run for each kind by its test file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MergeMethod } from '../../protocol/project.ts';
import { KINDS } from '../../orchestrator/repos/forge/kinds.ts';
import { FAULTS } from './forge-conformance-faults.ts';
import { openBench, proposal } from './forge-seat.ts';
import type { Bench, Case, Seat } from './forge-seat.ts';

const STATUSES = [
  { context: 'autocode/test', passed: true, description: 'passed in 1.2 s' },
  { context: 'autocode/lint', passed: false, description: 'failed with exit code 1' },
];

/** The cases in which all goes its way. */
export const WORK: Case[] = [
  [
    'a branch becomes a pull request with all that it shall have, and proposing it again changes nothing',
    async ({ forge, push, path, requests, writes }, seat) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const wanted = proposal('autocode/1', commit, {
        reviewers: ['ann', 'ghost', seat.self],
        labels: ['robot'],
        statuses: STATUSES,
      });
      const proposed = await forge.propose(wanted);
      const [request, ...others] = await requests();
      assert.deepEqual(others, []);
      assert.deepEqual(request, {
        number: proposed.number,
        state: 'open',
        title: 'Fix the sum',
        body: 'It was wrong.\n',
        draft: false,
        labels: ['robot'],
        reviewers: ['ann'],
        branch: 'autocode/1',
        comments: [],
      });
      assert.deepEqual(await seat.statuses(path, commit), [
        'autocode/lint: failure',
        'autocode/test: success',
      ]);
      assert.deepEqual([proposed.state, proposed.head], ['open', commit]);
      assert.match(proposed.notes.join('\n'), /^ghost could not be asked for a review: [^\n]+$/);
      writes();
      const again = await forge.propose({ ...wanted, reviewers: ['ann', seat.self] });
      assert.equal(again.number, proposed.number);
      assert.deepEqual(writes(), []);
    },
  ],
  [
    'what is different is brought up to date',
    async ({ forge, push, path, requests }, seat) => {
      const first = await push('autocode/1', { 'a.txt': 'a\n' });
      const { number } = await forge.propose(
        proposal('autocode/1', first, { labels: ['robot'], statuses: STATUSES }),
      );
      const commit = await push('autocode/1', { 'a.txt': 'b\n' });
      const statuses = [{ context: 'autocode/lint', passed: true, description: 'passed in 1.0 s' }];
      const wanted = {
        title: 'Mend the sum',
        body: 'Better.\n',
        reviewers: ['ben'],
        labels: ['more'],
        statuses,
      };
      const proposed = await forge.propose(proposal('autocode/1', commit, wanted));
      assert.equal(proposed.number, number);
      const [request] = await requests();
      assert.deepEqual(
        [request?.title, request?.body, request?.reviewers, request?.labels.toSorted()],
        ['Mend the sum', 'Better.\n', ['ben'], ['more', 'robot']],
      );
      assert.deepEqual(await seat.statuses(path, commit), ['autocode/lint: success']);
    },
  ],
  [
    'a proposal that is cut off at each of its requests ends with one pull request that has it all once',
    async ({ forge, line, push, path, requests }, seat) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const wanted = proposal('autocode/1', commit, {
        reviewers: ['ann'],
        labels: ['robot'],
        statuses: STATUSES,
      });
      const done = new Set<string>();
      for (let tries = 1; ; tries++) {
        const gone = new AbortController();
        const isNew = (request: string) => {
          const key = request.replace(/\?.*/, '');
          if (done.has(`${key} ${tries}`) || [...done].some((one) => one.startsWith(`${key} `))) return false;
          done.add(`${key} ${tries}`);
          return true;
        };
        line.cutWhen(isNew, () => gone.abort());
        const error = await forge.propose(wanted, gone.signal).catch((thrown: unknown) => thrown);
        line.mend();
        if (!gone.signal.aborted) {
          if (error instanceof Error) throw error;
          break;
        }
        assert.ok(tries < 40, [...done].join('\n'));
      }
      const [request, ...others] = await requests();
      assert.deepEqual([others, request?.labels, request?.reviewers], [[], ['robot'], ['ann']]);
      assert.deepEqual(await seat.statuses(path, commit), [
        'autocode/lint: failure',
        'autocode/test: success',
      ]);
      assert.ok(done.size >= 5, [...done].join('\n'));
    },
  ],
  [
    'a draft is opened as one and made ready when it shall be none, or when it is merged',
    async ({ forge, push, requests, change }) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const wanted = proposal('autocode/1', commit, { draft: true });
      const state = async () => (await requests()).map((request) => request.draft);
      await forge.propose(wanted);
      assert.deepEqual(await state(), [true]);
      await forge.propose(wanted);
      assert.deepEqual(await state(), [true]);
      await forge.propose({ ...wanted, draft: false });
      assert.deepEqual(await state(), [false]);
      await forge.propose(wanted); // a person may have said that it is ready
      assert.deepEqual(await state(), [false]);
      const other = await push('autocode/2', { 'b.txt': 'b\n' });
      const { number } = await forge.propose(proposal('autocode/2', other, { draft: true }));
      await forge.merge(change(number!, 'autocode/2'), null);
      assert.equal((await requests())[1]?.state, 'merged');
    },
  ],
  ...(['merge', 'squash'] as const).map((method): Case => [
    `a change is merged by ${method}, once`,
    async (bench) => {
      const { parents, commits } = await merged(bench, method);
      assert.deepEqual([parents, commits], method === 'merge' ? [2, 5] : [1, 3]);
    },
  ]),
  [
    'a merge by rebase leaves a line without a merge commit',
    async (bench, seat) => {
      await seat.allowRebase(bench.path);
      const { parents, commits } = await merged(bench, 'rebase');
      assert.deepEqual([parents, commits], [1, 4]);
    },
  ],
  [
    'what a person merged or closed is seen, and a merge of it is not made again',
    async ({ forge, push, change, path }, seat) => {
      const numbers: number[] = [];
      for (const [name, text] of Object.entries({
        'autocode/1': 'a\n',
        'autocode/2': 'b\n',
        'autocode/3': 'c\n',
      })) {
        const commit = await push(name, { [`${text.trim()}.txt`]: text });
        numbers.push((await forge.propose(proposal(name, commit))).number!);
      }
      const changes = numbers.map((number, index) => change(number, `autocode/${index + 1}`));
      await seat.mergeRequest(path, numbers[0]!);
      await seat.closeRequest(path, numbers[1]!);
      const states = await forge.read(changes.toReversed());
      assert.deepEqual(
        states.map(({ state }) => state),
        ['open', 'closed', 'merged'],
      );
      assert.match(states[2]?.mergedCommit ?? '', /^[0-9a-f]{40}$/);
      await forge.merge(changes[0]!, null);
      await assert.rejects(forge.merge(changes[1]!, null), { code: 'ERR_FORGE_REFUSED', message: /closed/ });
    },
  ],
  [
    'one that a person closed is opened again when its task goes on, or there is a new one; after a merge always',
    async ({ forge, push, path, requests }, seat) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const { number } = await forge.propose(proposal('autocode/1', commit));
      await seat.closeRequest(path, number!);
      const next = await push('autocode/1', { 'a.txt': 'b\n' });
      const opened = await forge.propose(proposal('autocode/1', next));
      assert.deepEqual([opened.number === number, opened.state], [seat.reopensAfterPush, 'open']);
      await seat.mergeRequest(path, opened.number!);
      const last = await push('autocode/1', { 'a.txt': 'c\n' });
      assert.notEqual((await forge.propose(proposal('autocode/1', last))).number, opened.number);
      const states = (await requests()).map(({ state }) => state);
      assert.deepEqual(states, [...(seat.reopensAfterPush ? [] : ['closed']), 'merged', 'open']);
    },
  ],
  [
    'a change that conflicts is not merged and says so; its branch stays',
    async ({ forge, push, pushByPerson, requests, change, git }) => {
      const commit = await push('autocode/1', { 'README.md': 'ours\n' });
      const { number } = await forge.propose(proposal('autocode/1', commit));
      await pushByPerson('main', { 'README.md': 'theirs\n' });
      await assert.rejects(forge.merge(change(number!, 'autocode/1'), null), { code: 'ERR_MERGE_CONFLICT' });
      assert.equal((await requests())[0]?.state, 'open');
      assert.match(await git('ls-remote', 'origin', 'refs/heads/autocode/1'), new RegExp(`^${commit}`));
    },
  ],
  [
    "a branch that wants an approval first refuses in the forge's words, and the change stays open",
    async ({ forge, push, path, requests, change }, seat) => {
      await seat.protect(path);
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const { number } = await forge.propose(proposal('autocode/1', commit));
      const refused = { code: 'ERR_FORGE_REFUSED', message: /approv|review/i };
      await assert.rejects(forge.merge(change(number!, 'autocode/1'), null), refused);
      assert.equal((await requests())[0]?.state, 'open');
    },
  ],
  [
    'it is commented on and closed, and closing it again does no harm',
    async ({ forge, push, requests, change, git }) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const { number } = await forge.propose(proposal('autocode/1', commit));
      const ours = change(number!, 'autocode/1');
      await forge.comment(ours, 'Not wanted.');
      await forge.close(ours);
      await forge.close(ours);
      const [request] = await requests();
      assert.deepEqual([request?.state, request?.comments], ['closed', ['Not wanted.']]);
      assert.match(await git('ls-remote', 'origin', 'refs/heads/autocode/1'), new RegExp(`^${commit}`));
    },
  ],
  [
    'lists of more than one page are read to their end',
    async ({ forge, push, path, host, writes }, seat) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const statuses = Array.from({ length: seat.page + 2 }, (_, index) => ({
        context: `autocode/${index + 10}`,
        passed: true,
        description: 'passed',
      }));
      await forge.propose(proposal('autocode/1', commit, { statuses }));
      assert.equal((await seat.statuses(path, commit)).length, statuses.length);
      writes();
      await forge.propose(proposal('autocode/1', commit, { statuses }));
      assert.deepEqual(writes(), []);
      const comments = Array.from({ length: seat.page + 2 }, (_, index) => `Comment ${index}.`);
      const number = await seat.issue(path, 'The sum is wrong', comments);
      const issue = await forge.issue(number);
      assert.deepEqual(
        [issue.number, issue.title, issue.state, issue.comments.map(({ body }) => body)],
        [number, 'The sum is wrong', 'open', comments],
      );
      assert.match(issue.url, new RegExp(`${path}/.*issues/${number}$`));
      await assert.rejects(forge.issue(4711), { code: 'ERR_NOT_FOUND' });
      const made: string[] = [path];
      while (made.length < seat.page + 2) made.push(await seat.repository(`page-${made.length}`));
      await seat.archive(made[1]!);
      const listed = await Array.fromAsync(host.list({ owner: path.split('/')[0] }));
      const paths = listed.map((repository) => repository.path);
      assert.deepEqual(
        made.filter((one) => !paths.includes(one)),
        [],
      );
      const [archived, ours] = [made[1], path].map((one) =>
        listed.find((repository) => repository.path === one),
      );
      assert.deepEqual(
        [archived?.archived, ours?.archived, ours?.private, ours?.defaultBranch],
        [true, false, true, 'main'],
      );
      assert.equal(URL.parse(ours?.cloneUrl ?? '')?.pathname.endsWith(`/${path}.git`), true);
      assert.deepEqual(await Array.fromAsync(host.list({ owner: 'nobody' })), []);
    },
  ],
  [
    'its server is recognised, and taken for no other kind',
    async (_bench, seat) => {
      for (const kind of KINDS) {
        assert.equal(await kind.recognise(seat.url), kind === seat.kind, `${kind.name} at ${seat.kind.name}`);
      }
    },
  ],
];

/** Registers cases for one kind of forge, all unless some are named; `seat` is asked for when they run. */
export function conformance(seat: () => Seat, cases = [...WORK, ...FAULTS]): void {
  for (const [index, [title, body]] of cases.entries()) {
    test(title, async () => {
      await using bench = await openBench(seat(), `case-${index}`);
      await body(bench, seat());
    });
  }
}

// A change of two commits, merged into a base that has moved meanwhile; what the base is then.
async function merged(
  { forge, push, pushByPerson, change, shape, requests }: Bench,
  method: MergeMethod,
): Promise<{ commits: number; parents: number }> {
  await push('autocode/1', { 'a.txt': 'a\n' });
  const commit = await pushByPerson('autocode/1', { 'b.txt': 'b\n' });
  const { number } = await forge.propose(proposal('autocode/1', commit));
  await pushByPerson('main', { 'c.txt': 'c\n' });
  const ours = change(number!, 'autocode/1');
  await forge.merge(ours, method);
  const after = await shape('main');
  await forge.merge(ours, method);
  assert.deepEqual(await shape('main'), after);
  assert.equal((await requests())[0]?.state, 'merged');
  return after;
}

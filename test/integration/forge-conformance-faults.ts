// The cases of the conformance suite in which the forge is away, slow, in haste, moved, or does not let us in.
import assert from 'node:assert/strict';
import { proposal } from './forge-seat.ts';
import type { Case } from './forge-seat.ts';

const NO_RIGHTS = { code: 'ERR_FORGE_DENIED' };

/** Used by forge-conformance.ts. */
export const FAULTS: Case[] = [
  [
    'a token that may read alone is told apart when it is checked',
    async ({ forge, useToken, path }, seat) => {
      await forge.check();
      useToken(await seat.readerToken(path));
      await assert.rejects(forge.check(), (error: Error & { code: string; remedy?: string }) => {
        assert.match(error.message, /may not push|scope/);
        assert.ok(error.remedy);
        return error.code === 'ERR_FORGE_DENIED';
      });
    },
  ],
  [
    'a token that is unknown, or has ended, is denied with the way to renew it; with another the work goes on',
    async ({ forge, push, useToken, requests, line }, seat) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const remedy = /project set PROJECT --forge under-test --forge-token-file FILE/;
      useToken('nonsense');
      await assert.rejects(forge.propose(proposal('autocode/1', commit)), { ...NO_RIGHTS, remedy });
      const another = await seat.anotherToken();
      useToken(another.token);
      await forge.check();
      await another.end();
      await assert.rejects(forge.propose(proposal('autocode/1', commit)), { ...NO_RIGHTS, remedy });
      assert.equal((await requests()).length, 0);
      useToken(seat.token);
      await forge.propose(proposal('autocode/1', commit));
      assert.equal((await requests()).length, 1);
      assert.ok(line.seen.every((request) => !request.includes(seat.token)));
    },
  ],
  [
    'a repository that is renamed is followed, in reading, proposing and merging; one that is deleted is told',
    async ({ forge, push, path, change }, seat) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const { number } = await forge.propose(proposal('autocode/1', commit));
      const ours = change(number!, 'autocode/1');
      const renamed = await seat.rename(path, `${path.split('/').at(-1)!}-new`);
      assert.equal((await forge.read([ours]))[0]?.state, 'open');
      const wanted = proposal('autocode/1', commit, { title: 'Mend the sum', labels: ['robot'] });
      assert.equal((await forge.propose(wanted)).number, number);
      assert.equal((await seat.requests(renamed))[0]?.title, 'Mend the sum');
      await forge.merge(ours, null);
      assert.equal((await seat.requests(renamed))[0]?.state, 'merged');
      await seat.remove(renamed);
      await assert.rejects(forge.read([ours]), {
        code: 'ERR_NOT_FOUND',
        message: new RegExp(`has no .*${path.split('/')[0]}`),
      });
      await assert.rejects(forge.check(), { code: 'ERR_NOT_FOUND', remedy: /renamed or deleted/ });
    },
  ],
  [
    'another default branch changes nothing for what is open',
    async ({ forge, push, pushByPerson, git, path, change, requests }, seat) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const { number } = await forge.propose(proposal('autocode/1', commit));
      await git('push', '--quiet', 'origin', 'origin/main:refs/heads/trunk');
      await pushByPerson('trunk', { 'b.txt': 'b\n' });
      await seat.setDefaultBranch(path, 'trunk');
      assert.equal((await forge.propose(proposal('autocode/1', commit))).number, number);
      await forge.merge(change(number!, 'autocode/1'), null);
      assert.equal((await requests())[0]?.state, 'merged');
    },
  ],
  [
    'a rate limit is waited for when it is short, by all that ask, and told with its time when it is long',
    async ({ forge, push, line, requests }) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const words = JSON.stringify({ message: 'You have exceeded a secondary rate limit.' });
      line.answerWith({ status: 429, headers: { 'retry-after': '1' }, body: words }, () => true, 1);
      const began = Date.now();
      await forge.propose(proposal('autocode/1', commit));
      assert.ok(Date.now() - began >= 990);
      line.answerWith({ status: 429, headers: { 'retry-after': '3000' }, body: words }, () => true, 1);
      const before = line.seen.length;
      const told = { code: 'ERR_FORGE_UNAVAILABLE', message: /no more requests for (2999|3000) s/ };
      await assert.rejects(forge.propose(proposal('autocode/1', commit)), told);
      await assert.rejects(forge.check(), told);
      assert.equal(line.seen.length, before + 1); // it is not asked again
      assert.equal((await requests()).length, 1);
    },
  ],
  [
    'a server that fails once is asked again where that does no harm; one that fails always is told',
    async ({ forge, push, line, requests }) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const broken = { status: 502, body: '<html>Bad Gateway</html>' };
      line.answerWith(broken, (request) => request.startsWith('GET '), 1);
      await forge.check();
      line.answerWith(broken, (request) => request.startsWith('POST '), 1);
      const told = { code: 'ERR_FORGE_UNAVAILABLE', message: /is not available: it answered 502/ };
      await assert.rejects(forge.propose(proposal('autocode/1', commit)), told);
      assert.equal(line.seen.filter((request) => request.startsWith('POST ')).length, 1);
      await forge.propose(proposal('autocode/1', commit));
      line.answerWith(broken, () => true);
      await assert.rejects(forge.check(), told);
      line.mend();
      assert.equal((await requests()).length, 1);
    },
  ],
  [
    'an answer that takes its time is waited for, and given up as soon as nobody wants it any more',
    async ({ forge, push, line, requests }) => {
      const commit = await push('autocode/1', { 'a.txt': 'a\n' });
      const gone = new AbortController();
      const asked = Promise.withResolvers<void>();
      const answered = Promise.withResolvers<void>();
      const held = async () => {
        asked.resolve();
        await answered.promise;
      };
      line.holdWhen((request) => request.startsWith('GET '), held);
      const waiting = forge.propose(proposal('autocode/1', commit), gone.signal);
      const rejected = assert.rejects(waiting, { name: 'AbortError' });
      await asked.promise;
      gone.abort();
      await rejected;
      const late = forge.propose(proposal('autocode/1', commit));
      answered.resolve();
      assert.equal((await late).state, 'open');
      assert.equal((await requests()).length, 1);
    },
  ],
];

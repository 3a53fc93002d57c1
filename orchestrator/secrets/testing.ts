// What holds for every store of secrets, whatever keeps them: one suite for the files and for Vault.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SecretManager } from './secret-manager.ts';

export interface Store {
  /** The store as another process opens it. */
  open(): SecretManager;
  end(): Promise<void>;
}

/** Defines the suite over a store of its own. */
export function secretsConformance(kind: string, make: () => Promise<Store>): void {
  describe(`secrets kept by ${kind}`, () => {
    let store: Store;
    let secrets: SecretManager;
    before(async () => {
      store = await make();
      secrets = store.open();
    });
    after(async () => await store.end());

    it('gives back what was put, also to another process, and nothing that was not', async () => {
      assert.equal(await secrets.get('openai-key'), undefined);
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('base64');
      const values = ['sk-ü-🔑\nline\r\n', ' ', '\u0000\u001f', '{"value":"x"}', bytes, 'x'.repeat(65_536)];
      for (const [index, value] of values.entries()) {
        assert.equal(await secrets.put('openai-key', value), index + 1);
        assert.deepEqual(await secrets.get('openai-key'), { value, version: index + 1 });
        assert.deepEqual(await store.open().get('openai-key'), { value, version: index + 1 });
      }
    });

    it('counts versions, lists without values, and removes all versions at once', async () => {
      await secrets.put('b', 'one');
      await secrets.put('b', 'two');
      await secrets.put('a', 'x');
      await secrets.put('payments/card_primary', 'two parts');
      await secrets.put('payments', 'the first of them alone');
      await secrets.put('crypto/TON', 'y');
      const list = await secrets.list();
      assert.deepEqual(
        list.map(({ name, version }) => `${name} ${version}`).filter((line) => !line.startsWith('openai')),
        ['a 1', 'b 2', 'crypto/TON 1', 'payments 1', 'payments/card_primary 1'],
      );
      const versions = await secrets.history('b');
      assert.deepEqual(
        versions.map(({ version }) => version),
        [2, 1],
      );
      assert.ok(Math.abs(versions[0]!.createdAt.getTime() - Date.now()) < 600_000);
      assert.ok(!JSON.stringify([list, versions]).includes('two parts'));
      assert.equal(await secrets.delete('b'), true);
      assert.equal(await secrets.delete('b'), false);
      assert.equal(await secrets.get('b'), undefined);
      assert.deepEqual(await secrets.history('b'), []);
      assert.equal(await secrets.put('b', 'again', { expectedVersion: 0 }), 1);
      assert.equal(await secrets.delete('payments'), true);
      assert.equal((await secrets.get('payments/card_primary'))?.value, 'two parts');
    });

    it('refuses a write that expects another version, and of several at once lets one win', async () => {
      await secrets.put('swap', '1', { expectedVersion: 0 });
      await assert.rejects(secrets.put('swap', '2', { expectedVersion: 0 }), {
        code: 'ERR_CONFLICT',
        details: { version: 1 },
      });
      const writes = await Promise.allSettled(
        [1, 2, 3, 4].map((n) => store.open().put('swap', `w${n}`, { expectedVersion: 1 })),
      );
      assert.equal(writes.filter((write) => write.status === 'fulfilled').length, 1);
      const free = await Promise.all([1, 2, 3].map((n) => secrets.put('swap', `f${n}`)));
      assert.deepEqual(new Set(free), new Set([3, 4, 5]));
      assert.equal((await secrets.get('swap'))?.version, 5);
    });

    it('refuses names that would lead elsewhere', async () => {
      for (const name of [
        '../x',
        'a/../b',
        'a//b',
        '/a',
        'a/',
        '',
        '.hidden',
        'a?b',
        'a%2Fb',
        'x'.repeat(64),
      ]) {
        await assert.rejects(secrets.get(name), { code: 'ERR_INVALID_INPUT' }, name);
        await assert.rejects(secrets.delete(name), { code: 'ERR_INVALID_INPUT' }, name);
      }
    });
  });
}

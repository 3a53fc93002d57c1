import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileSecrets } from './file.ts';
import { paymentCard, wallet } from './purchase.ts';

test('card and wallets are read from their secrets; what is wrong in one is told without its value', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-purchase-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const secrets = fileSecrets(directory);
  await assert.rejects(paymentCard(secrets), { code: 'ERR_SECRET', message: /payments\/card_primary/ });
  const card = { number: '4242424242424242', expiry: '04/29', cvc: '123', holder: 'A. Buyer' };
  await secrets.put('payments/card_primary', JSON.stringify(card));
  assert.deepEqual(await paymentCard(secrets), card);
  await secrets.put('payments/card_primary', JSON.stringify({ ...card, number: '4242-4242', cvc: 7 }));
  await assert.rejects(paymentCard(secrets), (error: Error) => {
    assert.match(error.message, /number, cvc/);
    assert.doesNotMatch(`${error.message}${error.stack}`, /4242/);
    return true;
  });
  await secrets.put('crypto/TON', JSON.stringify({ address: 'UQ-ton', key: 'k1' }));
  await secrets.put('crypto/BTC', 'no json');
  assert.equal((await wallet(secrets)).address, 'UQ-ton');
  await assert.rejects(wallet(secrets, 'BTC'), { code: 'ERR_SECRET' });
  await assert.rejects(wallet(secrets, '../x'), { code: 'ERR_INVALID_INPUT' });
});

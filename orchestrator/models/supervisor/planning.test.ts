import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recorded, standInSmi } from '../gpu/testing/stand-in-smi.ts';
import { complete, eventually, supervised } from './testing/supervised.ts';

const IDLE = recorded('idle.txt');
const [FIRST = ''] = IDLE.split('\n');
const UUID = FIRST.split(', ')[1];

test('a model that a stranger leaves no memory for is refused with who has it, and comes when that is over', async () => {
  using smi = standInSmi({ gpus: FIRST.replace('24564, 2,', '24564, 24300,'), apps: `${UUID}, 1, 24290` });
  await using rig = await supervised([{ name: 'coder' }], { nvidiaSmi: smi.program });
  await assert.rejects(rig.acquire('coder'), {
    code: 'ERR_ENGINE_UNAVAILABLE',
    message: /does not fit now: 2\d\.\d GiB of GPU 0 are taken by others/,
    remedy: /model gpus/,
  });
  smi.play({ gpus: FIRST });
  const place = await eventually(async () => await rig.acquire('coder').catch(() => undefined), 'a place');
  assert.match(await complete(place), /^coder/);
  place.release();
});

test('what ran on a GPU that is lost is loaded on another one, where it takes its turn', async () => {
  using smi = standInSmi({ gpus: IDLE });
  await using rig = await supervised([{ name: 'coder' }, { name: 'reasoner' }], { nvidiaSmi: smi.program });
  for (const name of ['coder', 'reasoner']) (await rig.acquire(name)).release();
  const models = [await rig.model('coder'), await rig.model('reasoner')];
  const lost = models.find(({ gpus }) => gpus.includes(1))!.name;
  smi.play({
    gpus: `${FIRST}\nUnable to determine the device handle for GPU1: 0000:65:00.0: GPU is lost.  Reboot the system to recover this GPU\n`,
    exit: 15,
  });
  await rig.until(lost, 'unloaded');
  const place = await rig.acquire(lost);
  assert.deepEqual((await rig.model(lost)).gpus, [0]);
  assert.match(await complete(place), new RegExp(`^${lost}`));
  place.release();
});

test('without a GPU a model is refused with what to do', async () => {
  using smi = standInSmi({ gpus: '' });
  smi.play({ absent: true });
  await using rig = await supervised([{ name: 'coder' }], { nvidiaSmi: smi.program });
  await assert.rejects(rig.acquire('coder'), {
    code: 'ERR_ENGINE_UNAVAILABLE',
    message: /no GPU is seen/,
    remedy: /model gpus.*models\.local\.gpus/,
  });
});

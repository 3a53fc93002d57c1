import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { nvidiaSmi, readCards } from './nvidia-smi.ts';
import { recorded, standInSmi, type Scene } from './testing/stand-in-smi.ts';

const [FIRST, SECOND] = readCards(recorded('idle.txt')).cards;
const never = new AbortController().signal;

async function ask(scene: Scene, known: string[] = []) {
  using smi = standInSmi(scene);
  return await nvidiaSmi(smi.program, 2_000)(known, never);
}

test('two cards at work are told with their memory, heat and power, and whose memory it is', async () => {
  const { cards, processes, failure } = await ask({ gpus: 'serving.txt', apps: 'serving-apps.txt' });
  assert.equal(failure, null);
  assert.deepEqual(cards[0], {
    index: 0,
    uuid: 'GPU-30667114-4567-bc4a-029b-3375d117048e',
    name: 'NVIDIA RTX A5000',
    bus: '0000:31:00',
    totalMib: 24_564,
    usedMib: 21_894,
    utilisation: 97,
    temperature: 74,
    watts: 226.31,
    eccErrors: 0,
    broken: null,
  });
  assert.deepEqual(
    processes?.map(({ pid, usedMib }) => [pid, usedMib]),
    [
      [41_200, 21_878],
      [41_201, 21_870],
    ],
  );
});

test('what a driver does not tell is unknown, not nothing', async () => {
  assert.deepEqual(FIRST?.eccErrors, null);
  const [old] = readCards(recorded('old-not-supported.txt')).cards;
  assert.deepEqual([old?.watts, old?.eccErrors, old?.usedMib], [null, null, 416]);
  const [odd] = readCards(recorded('err.txt')).cards;
  assert.deepEqual([odd?.utilisation, odd?.watts, odd?.temperature, odd?.broken], [null, null, 68, null]);
  assert.equal((await ask({ gpus: 'serving.txt', apps: 'apps-without-memory.txt' })).processes, null);
  assert.deepEqual((await ask({ gpus: 'idle.txt' })).processes, []);
});

test('a card that is lost does not hide the other one, in whatever way the driver tells of it', async () => {
  const inRows = await ask({ gpus: 'lost-in-rows.txt' });
  assert.deepEqual(
    inRows.cards.map(({ index, broken }) => [index, broken]),
    [
      [0, null],
      [1, 'GPU is lost'],
    ],
  );
  const beside = await ask({ gpus: 'lost-beside-rows.txt', exit: 15 });
  assert.deepEqual([beside.cards.length, beside.unreachable, beside.failure], [1, ['0000:65:00'], null]);

  using smi = standInSmi({ gpus: 'lost-alone.txt', one: 'one-of-two.txt', exit: 15 });
  const alone = await nvidiaSmi(smi.program)([FIRST!.uuid!], never);
  assert.deepEqual([alone.cards.length, alone.unreachable, alone.failure], [1, ['0000:65:00'], null]);
  assert.ok(smi.asked()[1]?.includes(`-i ${FIRST!.uuid}`));

  const unknown = await ask({ gpus: 'unknown-error.txt', exit: 15 });
  assert.deepEqual([unknown.unreachable, unknown.failure?.kind], [['0000:65:00'], 'lost']);
});

test('each way to fail has its sentence and what to do', async () => {
  const cases: [Scene, kind: string, says: RegExp, remedy: RegExp][] = [
    [
      { gpus: 'mismatch.txt', exit: 18 },
      'mismatch',
      /upgraded while the kernel still runs the old one.*version mismatch/,
      /Restart the machine/,
    ],
    [{ gpus: 'no-driver.txt', exit: 9 }, 'no-driver', /not loaded/, /modprobe nvidia/],
    [{ gpus: 'no-devices.txt', exit: 6 }, 'no-devices', /finds no GPU/, /lspci/],
    [{ gpus: 'lost-alone.txt', exit: 15 }, 'lost', /fallen off the bus/, /Restart the machine/],
    [{ gpus: 'unknown-field.txt', exit: 2 }, 'too-old', /does not know the question/, /Upgrade/],
    [{ gpus: 'Killed\n', exit: 137 }, 'unreadable', /ended with 137 and said "Killed"/, /by hand/],
    [{ gpus: 'Wed Nov 18 10:00:00\n' }, 'unreadable', /ended with 0 and said "Wed Nov/, /by hand/],
    [{ absent: true }, 'missing', /it is not there/, /models\.local\.gpus/],
  ];
  for (const [scene, kind, says, remedy] of cases) {
    using smi = standInSmi({ gpus: 'idle.txt' });
    smi.play(scene);
    const { failure, cards } = await nvidiaSmi(smi.program)([], never);
    assert.deepEqual([failure?.kind, cards], [kind, []]);
    assert.match(failure!.detail, says);
    assert.match(failure!.remedy, remedy);
  }
});

test('a program that hangs is ended in time, with all that it has started', { timeout: 10_000 }, async () => {
  using smi = standInSmi({ hangs: true });
  const ask = nvidiaSmi(smi.program, 200);
  const began = performance.now();
  assert.equal((await ask([], never)).failure?.kind, 'hangs');
  assert.ok(performance.now() - began < 1_500);
  const [child] = smi.children();
  assert.ok(child !== undefined);
  while (isAlive(child)) await new Promise(setImmediate); // the runner's time limit ends this
  smi.play({ gpus: 'idle.txt' });
  assert.deepEqual((await ask([], never)).cards, [FIRST, SECOND]);
});

// One that is dead may wait for its new parent to notice.
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

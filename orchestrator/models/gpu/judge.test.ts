import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whatFailed } from './failure.ts';
import { judge, type Judged, type Reading } from './judge.ts';
import { readCards, type DriverCard } from './nvidia-smi.ts';
import { recorded } from './testing/stand-in-smi.ts';
import type { Xid } from './xid.ts';

const [ONE, TWO] = readCards(recorded('serving.txt')).cards as [DriverCard, DriverCard];
const OURS = [
  { uuid: ONE.uuid!, pid: 100, usedMib: 21_878 },
  { uuid: TWO.uuid!, pid: 101, usedMib: 21_870 },
];

/** A watch in which each reading comes two seconds after the one before. */
function watch() {
  let judged: Judged[] = [];
  let at = 0;
  return (reading: Partial<Reading> = {}) => {
    at += 2_000;
    judged = judge(judged, {
      at,
      cards: [ONE, TWO],
      unreachable: [],
      processes: OURS,
      failure: null,
      xids: [],
      isOurs: (pid) => pid < 200,
      expected: new Map(),
      ...reading,
    });
    return judged;
  };
}

const states = (judged: Judged[]) =>
  judged.map(({ gpu, usable }) => `${gpu.state}${usable ? '' : ' unusable'}`);
const pass = (look: () => Judged[], times: number) =>
  Array.from({ length: times }, () => states(look())).at(-1);

test('cards in order are ok, and what is not ours on them is next to nothing', () => {
  const judged = watch()();
  assert.deepEqual(states(judged), ['ok', 'ok']);
  assert.deepEqual(
    judged.map(({ gpu }) => [gpu.usedMib, gpu.foreignMib, gpu.detail]),
    [
      [21_894, 16, ''],
      [21_886, 16, ''],
    ],
  );
});

test('the memory of a stranger is told as such, with the process where the driver names it', () => {
  const look = watch();
  const [named] = look({ processes: [{ uuid: ONE.uuid!, pid: 4242, usedMib: 6_000 }] });
  assert.equal(named?.gpu.foreignMib, 21_894);
  assert.match(named!.gpu.detail, /21894 MiB are taken by process 4242, no engine of the appliance/);
  assert.deepEqual([named?.gpu.state, named?.usable], ['warning', true]);
  const [unnamed] = look({ processes: null, expected: new Map([[0, 15_000]]) });
  assert.equal(unnamed?.gpu.foreignMib, 6_894);
  assert.match(unnamed!.gpu.detail, /by what is no engine of the appliance/);
  const told = [{ uuid: ONE.uuid!, pid: 100, usedMib: 10_000 }];
  const [beside] = look({ processes: told, expected: new Map([[0, 11_800]]) });
  assert.deepEqual([beside?.gpu.foreignMib, beside?.gpu.state], [94, 'ok']);
  const [within] = look({ processes: null, expected: new Map([[0, 22_000]]) });
  assert.deepEqual([within?.gpu.foreignMib, within?.gpu.state], [0, 'ok']);
});

test('memory that is nearly full is worth a warning when it grows, not when it was filled and rests', () => {
  const look = watch();
  const filled = (usedMib: number) =>
    states(
      look({
        cards: [{ ...ONE, usedMib }, TWO],
        processes: null,
        expected: new Map([
          [0, 25_000],
          [1, 25_000],
        ]),
      }),
    )[0];
  assert.deepEqual([20_000, 23_600, 23_600, 23_600].map(filled), ['ok', 'ok', 'ok', 'ok']);
  assert.deepEqual([23_700, 23_800, 23_800].map(filled), ['ok', 'warning', 'warning']);
  assert.equal(filled(20_000), 'ok');
});

test('heat is worth a warning when it lasts, until it is cool again', () => {
  const look = watch();
  const hot = (temperature: number) => states(look({ cards: [{ ...ONE, temperature }, TWO] }))[0];
  assert.deepEqual([90, 90, 80, 88, 89, 90].map(hot), ['ok', 'ok', 'ok', 'ok', 'ok', 'warning']);
  assert.deepEqual([86, 84].map(hot), ['warning', 'ok']);
});

test('memory errors that could not be corrected are worth a warning', () => {
  const [card] = watch()({ cards: [{ ...ONE, eccErrors: 2 }, TWO] });
  assert.deepEqual([card?.gpu.state, card?.usable], ['warning', true]);
  assert.match(card!.gpu.detail, /2 memory errors/);
});

test('a lost card is not used, whichever way it is told of, and is again after three good readings', () => {
  const alone = whatFailed({ program: 'nvidia-smi', text: recorded('lost-alone.txt'), exitCode: 15 });
  const ways: [string, Partial<Reading>, RegExp][] = [
    ['in its row', { cards: readCards(recorded('lost-in-rows.txt')).cards }, /"GPU is lost"/],
    ['beside the rows', { cards: [ONE], unreachable: ['0000:65:00'] }, /fallen off the bus/],
    ['not at all', { cards: [ONE] }, /does not list it/],
    ['alone', { cards: [], unreachable: ['0000:65:00'], failure: alone }, /fallen off the bus/],
  ];
  for (const [way, reading, says] of ways) {
    const look = watch();
    look();
    const judged = look(reading);
    assert.deepEqual(states(judged)[1], 'lost unusable', way);
    assert.match(judged[1]!.gpu.detail, says);
    assert.equal(judged[1]!.gpu.usedMib, null);
    assert.equal(states(judged)[0], 'ok', way);
    assert.deepEqual(pass(look, 2), ['ok', 'lost unusable'], way);
    assert.deepEqual(pass(look, 1), ['ok', 'ok'], way);
  }
});

test('when the other card takes its number, the lost one is told under a free one', () => {
  const look = watch();
  look();
  const judged = look({ cards: [{ ...TWO, index: 0 }] });
  assert.deepEqual(
    judged.map(({ gpu }) => [gpu.index, gpu.uuid, gpu.state]),
    [
      [0, TWO.uuid, 'ok'],
      [1, ONE.uuid, 'lost'],
    ],
  );
});

test('when nvidia-smi alone fails, engines that run are left alone: the cards stay usable, and are told as not seen', () => {
  for (const ending of [
    { timedOut: true },
    { text: recorded('mismatch.txt'), exitCode: 18 },
    { code: 'ENOENT' },
  ]) {
    const failure = whatFailed({ program: 'nvidia-smi', ...ending });
    const silent = { cards: [], processes: null, failure };
    const look = watch();
    look();
    assert.deepEqual(states(look(silent)), ['ok', 'ok']);
    look();
    look(silent);
    assert.deepEqual(states(look(silent)), ['ok', 'ok'], 'in a row');
    const [card] = look(silent);
    assert.deepEqual([card?.gpu.state, card?.usable, card?.warnings], ['warning', true, ['blind']]);
    assert.equal(card?.gpu.detail, `${failure.detail} ${failure.remedy}`);
    assert.deepEqual([card?.gpu.usedMib, card?.gpu.foreignMib, card?.gpu.temperature], [21_894, 16, null]);
    assert.deepEqual(states(look()), ['ok', 'ok']);
  }
});

test('without a driver nothing can run: three answers in a row say that the cards are lost', () => {
  for (const [name, exitCode] of [
    ['no-driver.txt', 9],
    ['no-devices.txt', 6],
  ] as const) {
    const silent = {
      cards: [],
      processes: null,
      failure: whatFailed({ program: 'nvidia-smi', text: recorded(name), exitCode }),
    };
    const look = watch();
    look();
    assert.deepEqual(
      pass(() => look(silent), 2),
      ['ok', 'ok'],
    );
    const judged = look(silent);
    assert.deepEqual(states(judged), ['lost unusable', 'lost unusable']);
    assert.match(judged[0]!.gpu.detail, name === 'no-driver.txt' ? /modprobe nvidia/ : /lspci/);
    assert.deepEqual(pass(look, 2), ['lost unusable', 'lost unusable']);
    assert.deepEqual(states(look()), ['ok', 'ok']);
  }
});

test('after a serious Xid a card is left alone: contained errors for three readings, others for ten minutes', () => {
  const xid = (code: number): Xid => ({ bus: '0000:65:00', code, text: '' });
  for (const code of [48, 63, 64, 74, 79, 94, 95]) {
    const look = watch();
    look();
    const [other, card] = look({ xids: [xid(13), xid(code)] });
    assert.deepEqual([other?.usable, card?.usable, card?.gpu.xid], [true, false, code]);
    assert.match(card!.gpu.detail, new RegExp(`^Xid ${code}: .*gpu-reset -i 1`));
    const contained = code === 63 || code === 94;
    assert.equal(pass(look, 3)?.[1], contained ? 'ok' : 'lost unusable', String(code));
    assert.equal(pass(look, 297)?.[1], 'ok', String(code));
    assert.equal(look()[1]?.gpu.xid, code);
  }
});

test('an error of a program on the card is noted and no more', () => {
  const look = watch();
  const judged = look({ xids: [{ bus: '0000:65:00', code: 13, text: '' }] });
  assert.deepEqual([judged[1]?.gpu.xid, judged[1]?.gpu.state], [13, 'ok']);
});

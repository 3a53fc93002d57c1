import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldUntil, pressureOf, type Holding, type Pressure } from './hold.ts';

const NEVER: Holding = { digest: 'off', digestAt: '08:00', timeZone: 'Europe/Berlin', quietHours: null };
const NIGHT: Holding = { ...NEVER, quietHours: { from: '22:00', to: '07:00' } };

test('what is not urgent waits for the end of quiet hours, and what does not press for the digest, too', () => {
  const table: [holding: Holding, now: string, pressure: Pressure, until: string | null][] = [
    [NEVER, '2026-03-01T23:00:00Z', 'collected', null],
    [NIGHT, '2026-03-01T23:00:00Z', 'collected', '2026-03-02T06:00:00Z'],
    [NIGHT, '2026-03-01T23:00:00Z', 'pressing', '2026-03-02T06:00:00Z'],
    [NIGHT, '2026-03-01T23:00:00Z', 'urgent', null],
    [NIGHT, '2026-03-02T06:00:00Z', 'collected', null],
    [NIGHT, '2026-03-01T20:59:59Z', 'collected', null],
    // The night in which clocks go forward is an hour shorter.
    [NIGHT, '2026-03-28T21:30:00Z', 'collected', '2026-03-29T05:00:00Z'],
    [{ ...NEVER, digest: 'hourly' }, '2026-03-01T12:10:00Z', 'collected', '2026-03-01T13:00:00Z'],
    [{ ...NEVER, digest: 'hourly' }, '2026-03-01T12:10:00Z', 'pressing', null],
    [{ ...NEVER, digest: 'hourly' }, '2026-03-01T12:10:00Z', 'urgent', null],
    // The full hour of a place whose clock differs by half an hour.
    [
      { ...NEVER, digest: 'hourly', timeZone: 'Asia/Kolkata' },
      '2026-03-01T12:10:00Z',
      'collected',
      '2026-03-01T12:30:00Z',
    ],
    [{ ...NEVER, digest: 'daily' }, '2026-03-01T06:59:00Z', 'collected', '2026-03-01T07:00:00Z'],
    [{ ...NEVER, digest: 'daily' }, '2026-03-01T07:00:00Z', 'collected', '2026-03-02T07:00:00Z'],
    // A digest that falls into quiet hours goes out at their end.
    [{ ...NIGHT, digest: 'hourly' }, '2026-03-01T20:30:00Z', 'collected', '2026-03-02T06:00:00Z'],
    [
      { ...NIGHT, digest: 'daily', digestAt: '23:00' },
      '2026-03-01T12:00:00Z',
      'collected',
      '2026-03-02T06:00:00Z',
    ],
  ];
  for (const [holding, now, pressure, until] of table)
    assert.equal(
      heldUntil(new Date(now), holding, pressure)?.toISOString() ?? null,
      until && new Date(until).toISOString(),
      `${JSON.stringify(holding)} ${now} ${pressure}`,
    );
});

test('a person who has to decide is not kept waiting by a digest; harm is told at once', () => {
  assert.equal(pressureOf('secret.misused'), 'urgent');
  assert.equal(pressureOf('incident.needs-person'), 'urgent');
  assert.equal(pressureOf('task.approval'), 'pressing');
  assert.equal(pressureOf('task.failed'), 'collected');
});

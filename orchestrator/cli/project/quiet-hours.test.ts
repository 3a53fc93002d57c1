import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuietHours } from '../../../protocol/order-of-work.ts';
import { drawQuietHours, quietHoursOf } from './quiet-hours.ts';

test('quiet hours are typed as they are shown', () => {
  const text = 'mon,tue 22:00-06:00 Europe/Berlin except incident,person';
  const [given] = quietHoursOf([text])!.map((each) => QuietHours.parse(each));
  assert.deepEqual(given, {
    days: ['mon', 'tue'],
    from: '22:00',
    to: '06:00',
    timeZone: 'Europe/Berlin',
    except: ['incident', 'person'],
  });
  assert.equal(drawQuietHours([given!]), text);
  const short = QuietHours.parse(quietHoursOf(['00:00-00:00 except none'])![0]);
  assert.equal(drawQuietHours([short]), '00:00-00:00 UTC except none');
});

test('none, and those of the configuration', () => {
  assert.deepEqual(quietHoursOf(['']), []);
  assert.equal(quietHoursOf(['default']), null);
  assert.deepEqual([drawQuietHours([]), drawQuietHours(null)], ['none', null]);
  assert.throws(() => quietHoursOf(['at night']), { code: 'ERR_INVALID_INPUT' });
});

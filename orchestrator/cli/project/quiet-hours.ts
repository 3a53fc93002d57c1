// Quiet hours as an option names them and as they are shown. Used by `project add|set|show`.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Project } from '../../../protocol/project.ts';

const SHAPE = /^(?:([a-z]{3}(?:,[a-z]{3})*) )?(\d\d:\d\d)-(\d\d:\d\d)(?: (\S+))?(?: except ([a-z,]+))?$/;

/** `mon,tue 22:00-06:00 Europe/Berlin except incident`, as the API wants it: null for `default`, none for an empty text. */
export function quietHoursOf(texts: string[] | undefined): Record<string, unknown>[] | null | undefined {
  if (texts === undefined) return undefined;
  if (texts.includes('default')) return null;
  return texts.filter((text) => text !== '').map(windowOf);
}

function windowOf(text: string): Record<string, unknown> {
  const [whole, days, from, to, timeZone, except] = SHAPE.exec(text.trim()) ?? [];
  if (whole === undefined) {
    throw new AutocodeError('ERR_INVALID_INPUT', `"${text}" names no quiet hours.`, {
      remedy:
        "Write them as '22:00-06:00 Europe/Berlin', or 'sat,sun 00:00-00:00 Europe/Berlin except incident'.",
    });
  }
  return {
    days: days?.split(','),
    from,
    to,
    timeZone,
    except: except?.split(',').filter((each) => each !== 'none'),
  };
}

/** Quiet hours, a line each; null where they are as configured. */
export function drawQuietHours(hours: Project['quietHours']): string | null {
  if (hours === null) return null;
  if (hours.length === 0) return 'none';
  return hours
    .map(
      ({ days, from, to, timeZone, except }) =>
        `${days.length === 7 ? '' : `${days.join(',')} `}${from}-${to} ${timeZone} except ${except.join(',') || 'none'}`,
    )
    .join('\n');
}

// The place of an event in the outbox, as `<transaction>-<serial>`: what clients send back as Last-Event-ID.
import { EventId } from '../../protocol/event.ts';
import { AutocodeError } from '../../protocol/errors.ts';

/** A place in the outbox: both numbers may exceed what a double holds exactly, so they stay text. */
export interface Cursor {
  xid: string;
  id: string;
}

/** The text of a cursor. */
export function formatCursor({ xid, id }: Cursor): string {
  return `${xid}-${id}`;
}

/** Reads a cursor's text; ERR_INVALID_INPUT when it is none. */
export function parseCursor(text: string): Cursor {
  const [xid, id] = text.split('-');
  const fits = EventId.safeParse(text).success && BigInt(xid!) < 2n ** 64n && BigInt(id!) < 2n ** 63n;
  if (!fits) {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `"${text.slice(0, 60)}" is not a cursor of the event stream.`,
      {
        remedy: 'Give back the id of an event, as in 812-37, or none to start at the beginning.',
      },
    );
  }
  return { xid: xid!, id: id! };
}

/** Negative when `a` comes before `b`, 0 when they are the same place. */
export function compareCursors(a: string, b: string): number {
  const [first, second] = [parseCursor(a), parseCursor(b)];
  const difference = BigInt(first.xid) - BigInt(second.xid) || BigInt(first.id) - BigInt(second.id);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

// Any system that signs as Standard Webhooks says (https://www.standardwebhooks.com): what its events mean is told by a
// mapping in the settings.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { at, fill } from '../pointers.ts';
import { notAuthentic, type HookRequest, type Source, type SourceKind } from '../source.ts';
import type { WorkItem } from '../work-item.ts';

const Pointer = z.string().regex(/^\/[^{}]*$/, 'is no JSON pointer, as /issue/title');
const Template = z.string().min(1).max(2000);

const Settings = z.strictObject({
  kind: z.enum(['task', 'message', 'signal']).default('task').meta({
    title: 'Becomes',
    description:
      '`task`: work; `message`: said to a task that is there; `signal`: an alarm, part of an incident.',
  }),
  priority: z.int().min(-100).max(100).default(0).meta({ description: 'Of its tasks.' }),
  title: Template.default('{/title}').meta({
    description: 'Braces hold JSON pointers into the event, as `Ticket {/id}: {/subject}`.',
  }),
  text: Template.default('{/body}').meta({ description: 'What the agent is told beyond the title.' }),
  key: Template.optional().meta({ description: 'Names the event; its webhook-id when left out.' }),
  subject: Template.optional().meta({
    description: 'What it is about: while its task goes on, more of it are messages to that one.',
  }),
  actor: Pointer.optional().meta({
    description: 'Who must be among the actors; the signature is enough when left out.',
  }),
  account: Template.optional().meta({ description: 'Of an alarm: those of one belong together.' }),
  at: Pointer.optional().meta({
    title: 'Time',
    description: 'When it happened; when it came when left out.',
  }),
  url: Template.optional().meta({ title: 'Address', description: 'Where people see it.' }),
  when: z
    .array(
      z.strictObject({
        pointer: Pointer,
        is: z
          .array(z.union([z.string(), z.number(), z.boolean()]))
          .min(1)
          .meta({ title: 'Is one of' }),
      }),
    )
    .max(20)
    .default([])
    .meta({ title: 'Only when', description: 'Events of which all of this is so.' }),
  resolved: z
    .strictObject({ pointer: Pointer, is: z.array(z.string()).min(1).meta({ title: 'Is one of' }) })
    .optional()
    .meta({ title: 'Over when', description: 'What says of an alarm that it is over.' }),
});
type Settings = z.infer<typeof Settings>;

const WINDOW_MS = 5 * 60_000;
const SIGNATURE = /^v1,[A-Za-z0-9+/]{43}=$/;
const SIGNATURES = 10;

/** Generic signed webhooks. */
export const webhook: SourceKind<Settings> = {
  name: 'webhook',
  about: {
    what: 'Any system that signs as Standard Webhooks says',
    secret: 'What its sender signs with: `whsec_` and at least 24 bytes as base64',
    farSide: 'Give the sender this address and the same secret.',
  },
  settings: Settings,
  needsProject: true,
  scope: ({ name }) => name,
  verify: async (source, request, secret) => {
    const {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature,
    } = request.headers;
    if (!id || id.length > 200 || !isFresh(timestamp, request.now) || signature === undefined)
      throw notAuthentic(source.name);
    if (!isSigned(await secret(), { id, timestamp: timestamp!, signature }, request))
      throw notAuthentic(source.name);
    return { delivery: id, event: 'event' };
  },
  parse: (source, { delivery, body }) => {
    const document: unknown = JSON.parse(body.toString());
    const { settings } = source;
    if (!settings.when.every(({ pointer, is }) => is.includes(at(document, pointer) as string))) return [];
    return [itemOf(source, delivery, document)];
  },
};

function isFresh(timestamp: string | undefined, now: Date): boolean {
  return (
    /^\d{1,12}$/.test(timestamp ?? '') && Math.abs(Number(timestamp) * 1000 - now.getTime()) <= WINDOW_MS
  );
}

// A sender that changes its secret signs with both for a while: one that fits is enough.
function isSigned(
  secret: string,
  { id, timestamp, signature }: { id: string; timestamp: string; signature: string },
  { body }: HookRequest,
): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  if (key.length === 0) return false;
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  const given = signature.split(' ').filter((each) => SIGNATURE.test(each));
  return given.slice(0, SIGNATURES).some((each) => {
    const bytes = Buffer.from(each.slice('v1,'.length), 'base64');
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
}

function itemOf({ name, settings }: Source<Settings>, delivery: string, document: unknown): WorkItem {
  const title = fill(settings.title, document).trim();
  if (title === '') throw new Error(`the event has no title: nothing is at ${settings.title}`);
  const told = settings.at === undefined ? undefined : new Date(at(document, settings.at) as string | number);
  const actor = settings.actor === undefined ? undefined : at(document, settings.actor);
  const url = settings.url === undefined ? '' : fill(settings.url, document);
  const account = settings.account === undefined ? '' : fill(settings.account, document).trim();
  const { resolved } = settings;
  const over = resolved?.is.includes(String(at(document, resolved.pointer))) ?? false;
  return {
    kind: settings.kind,
    key: settings.key === undefined ? delivery : fill(settings.key, document),
    subject: settings.subject === undefined ? null : fill(settings.subject, document),
    actor:
      settings.actor === undefined
        ? null
        : typeof actor === 'string' || typeof actor === 'number'
          ? String(actor)
          : 'nobody',
    byRight: false,
    title,
    text: fill(settings.text, document),
    what: `an event of ${name}${/^https?:\/\/[^\s<>]+$/.test(url) ? ` (${url})` : ''}`,
    at: told === undefined || Number.isNaN(told.getTime()) ? null : told,
    priority: settings.priority,
    ...(settings.kind === 'signal' ? { state: over ? 'resolved' : 'firing' } : {}),
    ...(account !== '' && { account }),
  };
}

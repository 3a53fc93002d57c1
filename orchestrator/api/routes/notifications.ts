// /notifications: the inbox of whoever asks; channels and their test; what was delivered. Rules are in notification-rules.ts.
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import {
  Inbox,
  NotificationChannel,
  NotificationDelivery,
  NotificationDeliveryState,
  NotificationKind,
  ReadNotifications,
} from '../../../protocol/notification.ts';
import { channelNamed, listDeliveries } from '../../notifications/delivery-log.ts';
import { markRead, readInbox, type Reader } from '../../notifications/inbox.ts';
import { testChannel } from '../../notifications/trial.ts';
import { actorOf } from '../authentication.ts';
import { Id, Limit, Switch } from '../parameters.ts';
import { projectsOf } from '../project-scope.ts';
import type { Routes } from '../server.ts';

const tags = ['notifications'];

export const notificationRoutes: Routes = (app, { db, config, secrets, redactor, stopping }) => {
  app.get(
    '/notifications',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: {
        tags,
        summary: 'My inbox, the newest first; for a token of nobody that of the installation',
        querystring: z.object({
          unread: Switch,
          kind: NotificationKind.optional(),
          project: Name.optional(),
          before: Id.optional(),
          limit: Limit,
        }),
        response: { 200: Inbox },
      },
    },
    async (request) => await readInbox(db, readerOf(request), request.query),
  );
  app.post(
    '/notifications/read',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: {
        tags,
        summary: 'Note that my inbox was read up to a notification, or some of it',
        body: ReadNotifications,
        response: { 200: z.object({ read: z.number().int() }) },
      },
    },
    async (request) => ({ read: await markRead(db, readerOf(request), request.body) }),
  );
  app.get(
    '/notification-channels',
    {
      config: { access: 'viewer', limited: 'open' },
      schema: {
        tags,
        summary: 'Channels that notifications can go out by',
        response: { 200: z.array(NotificationChannel) },
      },
    },
    async () => config.notifications.channels.map(({ name, kind, forPeople }) => ({ name, kind, forPeople })),
  );
  app.post(
    '/notification-channels/:channel/tests',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Send a test by a channel, once; the answer says how it went',
        params: z.object({ channel: Name }),
        response: { 200: NotificationDelivery },
      },
    },
    async (request) => {
      const channel = channelNamed(config.notifications, request.params.channel);
      const deps = {
        settings: config.notifications,
        secrets,
        clean: (text: string) => redactor().values(text),
      };
      return await testChannel(db, deps, channel, actorOf(request), stopping);
    },
  );
  app.get(
    '/notification-deliveries',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'What was sent by which channel, the newest first',
        querystring: z.object({
          channel: Name.optional(),
          state: NotificationDeliveryState.optional(),
          before: Id.optional(),
          limit: Limit,
        }),
        response: { 200: z.array(NotificationDelivery) },
      },
    },
    async (request) => await listDeliveries(db, request.query),
  );
};

function readerOf(request: FastifyRequest): Reader {
  return { person: request.identity?.rights?.person ?? null, projects: projectsOf(request) };
}

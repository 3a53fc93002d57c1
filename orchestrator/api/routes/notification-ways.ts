// /own-notification-settings, /own-email-letters, /push-key, /push-subscriptions: how whoever asks is told besides the inbox.
import { z } from 'zod';
import { AutocodeError, ErrorBody } from '../../../protocol/errors.ts';
import { NotificationDelivery } from '../../../protocol/notification.ts';
import {
  EmailConfirmation,
  NotificationSettingsPatch,
  OwnNotificationSettings,
  PushKey,
  PushSubscription,
  PushSubscriptionInput,
} from '../../../protocol/notification-ways.ts';
import { confirmAddress, sendLetter } from '../../notifications/confirm-address.ts';
import { changeOwnSettings, ownSettings } from '../../notifications/own-settings.ts';
import { pushKeys } from '../../notifications/push/key.ts';
import {
  addSubscription,
  listSubscriptions,
  removeSubscription,
} from '../../notifications/push/subscriptions.ts';
import { testOwnWays } from '../../notifications/trial.ts';
import { actorOf } from '../authentication.ts';
import { rightsOf } from '../own-rights.ts';
import { Id } from '../parameters.ts';
import type { Routes } from '../server.ts';
import { withRetryAfter } from './sessions.ts';

const tags = ['notifications'];
const own = { access: 'viewer', limited: 'open' } as const;

export const notificationWayRoutes: Routes = (app, context) => {
  const { db, secrets, redactor, stopping } = context;
  const { notifications, api } = context.config;
  const sending = {
    settings: notifications,
    secrets,
    clean: (text: string) => redactor().values(text),
    publicUrl: api.publicUrl,
  };
  app.get(
    '/own-notification-settings',
    {
      config: own,
      schema: {
        tags,
        summary: 'How I am told besides the inbox; for a token of nobody an error',
        response: { 200: OwnNotificationSettings, 409: ErrorBody },
      },
    },
    async (request) => await ownSettings(db, rightsOf(request).person, notifications),
  );
  app.patch(
    '/own-notification-settings',
    {
      config: own,
      schema: {
        tags,
        summary: 'Be told otherwise; what is left out stays',
        body: NotificationSettingsPatch,
        response: { 200: OwnNotificationSettings, 409: ErrorBody },
      },
    },
    async (request) => await changeOwnSettings(db, rightsOf(request).person, request.body, notifications),
  );
  app.post(
    '/own-email-letters',
    {
      config: own,
      schema: {
        tags,
        summary: 'Send a letter with a code that confirms my address, once; the answer says how it went',
        response: { 200: NotificationDelivery, 409: ErrorBody },
      },
    },
    async (request, reply) =>
      await sendLetter(db, sending, rightsOf(request).person, stopping).catch((error: unknown) => {
        throw withRetryAfter(reply, error);
      }),
  );
  app.post(
    '/own-email-confirmations',
    {
      config: own,
      schema: {
        tags,
        summary: 'Confirm my address by the code of a letter',
        body: EmailConfirmation,
        response: { 200: OwnNotificationSettings },
      },
    },
    async (request) => {
      const { person } = rightsOf(request);
      await confirmAddress(db, person, request.body.code);
      return await ownSettings(db, person, notifications);
    },
  );
  app.post(
    '/own-notification-tests',
    {
      config: own,
      schema: {
        tags,
        summary: 'Send a test to my address and my browsers, once; the answer says how each went',
        response: { 200: z.array(NotificationDelivery), 409: ErrorBody },
      },
    },
    async (request) => {
      const { person } = rightsOf(request);
      return await testOwnWays(db, sending, person, actorOf(request), stopping);
    },
  );
  app.get(
    '/push-key',
    {
      config: own,
      schema: { tags, summary: 'The key that browsers subscribe with', response: { 200: PushKey } },
    },
    async () => ({ key: notifications.push.enabled ? (await pushKeys(secrets)).publicKey : null }),
  );
  app.get(
    '/push-subscriptions',
    {
      config: own,
      schema: { tags, summary: 'My browsers', response: { 200: z.array(PushSubscription) } },
    },
    async (request) => {
      const person = request.identity?.rights?.person;
      return person === undefined ? [] : await listSubscriptions(db, person);
    },
  );
  app.post(
    '/push-subscriptions',
    {
      config: own,
      schema: {
        tags,
        summary: 'Have a browser of mine show what my inbox gets',
        body: PushSubscriptionInput,
        response: { 201: PushSubscription, 409: ErrorBody },
      },
    },
    async (request, reply) => {
      const { person } = rightsOf(request);
      if (!notifications.push.enabled)
        throw new AutocodeError('ERR_STATE', 'This installation sends nothing to browsers.', {
          remedy: 'An admin can set `notifications.push.enabled` in the configuration.',
        });
      const added = await addSubscription(db, person, request.body, notifications.push);
      return await reply.code(201).send(added);
    },
  );
  app.delete(
    '/push-subscriptions/:subscription',
    {
      config: own,
      schema: {
        tags,
        summary: 'Have a browser of mine show nothing more',
        params: z.object({ subscription: Id }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await removeSubscription(db, rightsOf(request).person, request.params.subscription);
      return await reply.code(204).send(null);
    },
  );
};

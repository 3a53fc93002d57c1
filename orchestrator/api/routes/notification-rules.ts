// /notification-rules and /own-notification-rules: who is told what; people's own, and all of them for admins.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import {
  NotificationRule,
  NotificationRuleInput,
  NotificationRulePatch,
  OwnNotificationRuleInput,
} from '../../../protocol/notification.ts';
import { roleIn, type Rights } from '../../access/rights.ts';
import type { NotificationSettings } from '../../config/notification-settings.ts';
import { channelNamed } from '../../notifications/delivery-log.ts';
import { addRule, changeRule, listRules, removeRule } from '../../notifications/rules.ts';
import { getPerson } from '../../people/people.ts';
import { getProject } from '../../tasks/projects.ts';
import { actorOf } from '../authentication.ts';
import { rightsOf } from '../own-rights.ts';
import { Id } from '../parameters.ts';
import type { Routes } from '../server.ts';

const tags = ['notifications'];
const own = { access: 'viewer', limited: 'open' } as const;
const ByRule = z.object({ rule: Id });

export const notificationRuleRoutes: Routes = (app, { db, config }) => {
  const checkOwn = async (rights: Rights, { project, channels = [] }: NotificationRulePatch) => {
    if (project != null && roleIn(rights, (await getProject(db, project)).id) === null)
      throw new AutocodeError('ERR_NOT_FOUND', `There is no project ${project}.`);
    for (const name of channels) requireForPeople(config.notifications, name);
  };
  app.get(
    '/own-notification-rules',
    {
      config: own,
      schema: { tags, summary: 'What I am told', response: { 200: z.array(NotificationRule) } },
    },
    async (request) => {
      const person = request.identity?.rights?.person;
      return person === undefined ? [] : await listRules(db, person);
    },
  );
  app.post(
    '/own-notification-rules',
    {
      config: own,
      schema: {
        tags,
        summary: 'Be told of something, of projects that I may see',
        body: OwnNotificationRuleInput,
        response: { 201: NotificationRule },
      },
    },
    async (request, reply) => {
      const rights = rightsOf(request);
      await checkOwn(rights, request.body);
      const rule = await addRule(db, { ...request.body, person: rights.person }, actorOf(request));
      return await reply.code(201).send(rule);
    },
  );
  app.patch(
    '/own-notification-rules/:rule',
    {
      config: own,
      schema: {
        tags,
        summary: 'Be told of something else, or elsewhere; what is left out stays',
        params: ByRule,
        body: NotificationRulePatch,
        response: { 200: NotificationRule },
      },
    },
    async (request) => {
      const rights = rightsOf(request);
      await checkOwn(rights, request.body);
      return await changeRule(db, request.params.rule, request.body, rights.person);
    },
  );
  app.delete(
    '/own-notification-rules/:rule',
    {
      config: own,
      schema: {
        tags,
        summary: 'Not be told any more',
        params: ByRule,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await removeRule(db, request.params.rule, rightsOf(request).person);
      return await reply.code(204).send(null);
    },
  );
  app.get(
    '/notification-rules',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'Who is told what', response: { 200: z.array(NotificationRule) } },
    },
    async () => await listRules(db),
  );
  app.post(
    '/notification-rules',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Have a person or the installation told of something',
        body: NotificationRuleInput,
        response: { 201: NotificationRule },
      },
    },
    async (request, reply) => {
      const { person: name, ...input } = request.body;
      for (const channel of input.channels) channelNamed(config.notifications, channel);
      const person = name === null ? null : (await getPerson(db, name)).id;
      return await reply.code(201).send(await addRule(db, { ...input, person }, actorOf(request)));
    },
  );
  app.patch(
    '/notification-rules/:rule',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Change a rule; what is left out stays',
        params: ByRule,
        body: NotificationRulePatch,
        response: { 200: NotificationRule },
      },
    },
    async (request) => {
      for (const channel of request.body.channels ?? []) channelNamed(config.notifications, channel);
      return await changeRule(db, request.params.rule, request.body);
    },
  );
  app.delete(
    '/notification-rules/:rule',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'Remove a rule', params: ByRule, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await removeRule(db, request.params.rule);
      return await reply.code(204).send(null);
    },
  );
};

function requireForPeople(settings: NotificationSettings, name: string): void {
  if (channelNamed(settings, name).forPeople) return;
  throw new AutocodeError('ERR_FORBIDDEN', `The channel ${name} is not for rules of people.`, {
    remedy: `Ask an admin for a rule, or for \`forPeople\` of the channel in the configuration.`,
  });
}

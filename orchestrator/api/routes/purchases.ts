// /purchases: proposed by operators, approved by admins; card and wallet are in none of it.
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Purchase, PurchaseProposal, PurchaseResolution, PurchaseState } from '../../../protocol/purchase.ts';
import { transaction } from '../../db/connect.ts';
import { readPresets } from '../../egress/policy/presets.ts';
import { checkBody } from '../../purchases/body.ts';
import { pay } from '../../purchases/execute.ts';
import {
  abandonPurchases,
  findPurchase,
  listPurchases,
  propose,
  reject,
  settle,
} from '../../purchases/states.ts';
import { getProject } from '../../tasks/projects.ts';
import { actorOf } from '../authentication.ts';
import { Id, Limit } from '../parameters.ts';
import type { Routes } from '../server.ts';

const tags = ['money'];
const Params = z.object({ purchase: Id });

export const purchaseRoutes: Routes = (app, { db, secrets, config }) => {
  const books = { currency: config.currency, timeZone: config.budget.timeZone };
  const till = { db, secrets, books, presets: readPresets(), authorities: config.egress.upstreamCa };
  app.addHook('onReady', async () => void (await transaction(db, abandonPurchases)));
  app.get(
    '/purchases',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Purchases, the newest first',
        querystring: z.object({ state: PurchaseState.optional(), limit: Limit }),
        response: { 200: z.array(Purchase) },
      },
    },
    async ({ query }) => await listPurchases(db, query.state ?? null, query.limit),
  );
  app.post(
    '/purchases',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Propose a purchase; nothing is paid before an admin approves it',
        body: PurchaseProposal,
        response: { 200: Purchase },
      },
    },
    async (request) => {
      const { project, ...proposal } = request.body;
      checkPayee(proposal.url);
      checkBody(proposal.body);
      const of = project === undefined ? null : (await getProject(db, project)).id;
      return await transaction(db, async (tx) => await propose(tx, proposal, of, actorOf(request)));
    },
  );
  app.post(
    '/purchases/:purchase/approve',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Pay: within the budgets and the egress policy, once; answers with what became of it',
        params: Params,
        response: { 200: Purchase },
      },
    },
    async (request) => await pay(till, await findPurchase(db, request.params.purchase), actorOf(request)),
  );
  app.post(
    '/purchases/:purchase/reject',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'Do not pay', params: Params, response: { 200: Purchase } },
    },
    async (request) =>
      await transaction(db, async (tx) => await reject(tx, request.params.purchase, actorOf(request))),
  );
  app.post(
    '/purchases/:purchase/resolve',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Say what became of one that nobody knows of, after a look at the payee',
        params: Params,
        body: PurchaseResolution,
        response: { 200: Purchase },
      },
    },
    async (request) => {
      const reason = `${actorOf(request)} looked at the payee`;
      const outcome = { state: request.body.paid ? 'paid' : 'failed', status: null, reason } as const;
      return await transaction(
        db,
        async (tx) => await settle(tx, request.params.purchase, 'unknown', outcome, books),
      );
    },
  );
};

function checkPayee(url: string): void {
  const parsed = URL.parse(url);
  if (parsed?.protocol === 'https:' && parsed.username === '' && parsed.href.split('#')[0] === url) return;
  throw new AutocodeError('ERR_INVALID_INPUT', `${url.slice(0, 200)} is no address of a payee.`, {
    remedy: 'Write it as https://host/path, without a user or a #.',
  });
}

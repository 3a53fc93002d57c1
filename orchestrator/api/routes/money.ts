// /budgets, /prices, /usage, /ledger.
import { join } from 'node:path';
import { z } from 'zod';
import {
  BudgetDifference,
  BudgetDocument,
  BudgetInput,
  DatedPrice,
  ForecastBudget,
  LedgerEntry,
  LedgerInput,
  LedgerVerified,
  PriceInput,
  UsageGrouping,
  UsageReport,
} from '../../../protocol/budget.ts';
import { Name } from '../../../protocol/ids.ts';
import { applyBudgets, removeBudget, setBudget } from '../../budget/budgets.ts';
import { append, entriesAfter, entryOf, verifyLedger, type Entry } from '../../budget/ledger.ts';
import { budgetInLedgerCurrency, priceInLedgerCurrency } from '../../budget/currency.ts';
import { forecastBudgets } from '../../budget/forecast.ts';
import { wrongExport } from '../../budget/files.ts';
import { gpuEngines } from '../../budget/idle.ts';
import { listPrices, setPrice, type DatedPrice as Price } from '../../budget/prices.ts';
import { makeReport } from '../../budget/report.ts';
import { transaction } from '../../db/connect.ts';
import { budgetsChanged } from '../../tasks/funds.ts';
import { getProject } from '../../tasks/projects.ts';
import type { Routes } from '../server.ts';

const tags = ['money'];
const Day = z.iso.date().meta({ description: 'As 2026-01-31, in the configured time zone.' });

export const moneyRoutes: Routes = (app, { db, config }) => {
  const books = { timeZone: config.budget.timeZone, currency: config.currency };
  const gpus = gpuEngines(config.models);
  const currencies = { currency: config.currency, exchangeRates: config.budget.exchangeRates };
  app.get(
    '/budgets',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Budgets, what is spent of them, and what they come to at this pace',
        response: { 200: z.array(ForecastBudget) },
      },
    },
    async () => await forecastBudgets(db, books.timeZone),
  );
  app.put(
    '/budgets',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Set the budget of a scope, subject, period and unit',
        body: BudgetInput,
        response: { 200: z.array(ForecastBudget) },
      },
    },
    async (request) => {
      const budget = budgetInLedgerCurrency(request.body, currencies);
      await transaction(db, async (tx) => await setBudget(tx, budget, request.identity!.name));
      await budgetsChanged(db, books.timeZone);
      return await forecastBudgets(db, books.timeZone);
    },
  );
  app.post(
    '/budget-documents',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Bring budgets to those of a document, or show what that would change',
        body: BudgetDocument,
        response: { 200: BudgetDifference },
      },
    },
    async (request) => {
      const budgets = request.body.budgets.map((budget) => budgetInLedgerCurrency(budget, currencies));
      const document = { ...request.body, budgets };
      const difference = await transaction(
        db,
        async (tx) => await applyBudgets(tx, document, request.identity!.name),
      );
      await budgetsChanged(db, books.timeZone);
      return difference;
    },
  );
  app.delete(
    '/budgets/:budget',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Remove a budget',
        params: z.object({ budget: z.coerce.number().int().positive() }),
        response: { 200: z.array(ForecastBudget) },
      },
    },
    async (request) => {
      await transaction(
        db,
        async (tx) => await removeBudget(tx, request.params.budget, request.identity!.name),
      );
      await budgetsChanged(db, books.timeZone);
      return await forecastBudgets(db, books.timeZone);
    },
  );

  app.get(
    '/prices',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Prices of models, the newest of each first',
        querystring: z.object({ model: z.string().max(200).optional() }),
        response: { 200: z.array(DatedPrice) },
      },
    },
    async (request) => (await listPrices(db, request.query.model)).map(shownPrice),
  );
  app.post(
    '/prices',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Set prices, from now or from a time to come',
        body: z.array(PriceInput).min(1).max(5_000),
        response: { 200: z.array(DatedPrice) },
      },
    },
    async (request) => {
      const prices = request.body.map((price) => priceInLedgerCurrency(price, currencies));
      await transaction(db, async (tx) => {
        for (const { validFrom, ...price } of prices) {
          const from = validFrom === undefined ? undefined : new Date(validFrom);
          await setPrice(tx, { ...price, validFrom: from }, request.identity!.name);
        }
      });
      return (await listPrices(db)).map(shownPrice);
    },
  );

  app.get(
    '/usage',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Usage and cost of a period, the month so far when none is named',
        querystring: z.object({
          from: Day.optional(),
          to: Day.optional(),
          by: UsageGrouping.default('project'),
          project: Name.optional(),
        }),
        response: { 200: UsageReport },
      },
    },
    async (request) => {
      const { project, ...query } = request.query;
      const of = project === undefined ? {} : { project: (await getProject(db, project)).name };
      return await makeReport(db, { ...query, ...of }, { ...books, gpus });
    },
  );

  app.get(
    '/ledger',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Entries of the ledger after a number, in order',
        querystring: z.object({
          after: z.coerce.number().int().min(0).default(0),
          limit: z.coerce.number().int().min(1).max(5_000).default(100),
        }),
        response: { 200: z.array(LedgerEntry) },
      },
    },
    async (request) => {
      for await (const page of entriesAfter(db, request.query.after, request.query.limit))
        return page.map(shownEntry);
      return [];
    },
  );
  app.post(
    '/ledger',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Write an adjustment, a refund or a purchase',
        body: LedgerInput,
        response: { 200: LedgerEntry },
      },
    },
    async (request) => {
      const { memo, ...entry } = request.body;
      const detail = { memo, by: request.identity!.name };
      await transaction(db, async (tx) => await append(tx, [{ ...entry, detail }], books.currency));
      return shownEntry((await entryOf(db, entry.id))!);
    },
  );
  app.get(
    '/ledger/verification',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Check the chain of the whole ledger, and the exported days',
        response: { 200: LedgerVerified },
      },
    },
    async () => {
      const verified = await verifyLedger(db);
      if (verified.wrong !== null) return { ...verified, hash: null };
      return { ...verified, wrong: await wrongExport(db, join(config.dataDir, 'financial/transactions')) };
    },
  );
};

const shownPrice = (price: Price) => ({ ...price, validFrom: price.validFrom.toISOString() });
const shownEntry = (entry: Entry) => ({ ...entry, at: entry.at.toISOString() });

// The tool that says what may still be spent. Used by serve.ts.
import { z } from 'zod';
import { Budget } from '../../../protocol/budget.ts';
import { Name } from '../../../protocol/ids.ts';
import { currencyOf } from '../money/currency.ts';
import { tool } from './tool.ts';

export const moneyTools = [
  tool({
    name: 'budget_left',
    title: 'Show what is left of the budgets',
    description:
      'Shows the budgets and what is left of them: those of the appliance and of one project, or all. Without budgets spending is not limited.',
    input: z.strictObject({
      project: Name.optional().meta({ description: 'Name of the project; all budgets when left out.' }),
    }),
    output: z.object({
      currency: z.string(),
      budgets: z.array(
        Budget.omit({ id: true }).extend({
          left: z.int().meta({
            description:
              'Millionths of the currency, tokens or milliseconds, by its unit; of subject `*`, to the one that has spent the most.',
          }),
        }),
      ),
    }),
    effect: 'read',
    async call({ project }, { client }) {
      const [currency, budgets] = await Promise.all([
        currencyOf(client),
        client.get('/budgets', z.array(Budget)),
      ]);
      const wanted =
        project === undefined ? budgets : budgets.filter((each) => holds(each, project, budgets));
      return {
        currency,
        budgets: wanted.map((budget) => ({ ...budget, left: budget.amount - budget.spent - budget.held })),
      };
    },
  }),
];

// A budget of `*` is for projects that have none of their own for the same period and unit.
function holds({ scope, subject, period, unit }: Budget, project: string, all: Budget[]): boolean {
  if (scope === 'appliance') return true;
  if (scope !== 'project') return false;
  if (subject === project) return true;
  const own = all.some(
    (each) =>
      each.scope === 'project' && each.subject === project && each.period === period && each.unit === unit,
  );
  return subject === '*' && !own;
}

// /board: the columns, with the first cards of each. /cards: the tasks of a column, a page at a time, or those that an event named.
// /task-preview: what would become of a task that is not given yet.
import { z } from 'zod';
import { Board, BoardColumn, BoardFilter, Card } from '../../../protocol/board.ts';
import { Name } from '../../../protocol/ids.ts';
import { TaskInput } from '../../../protocol/task.ts';
import { TaskPreview } from '../../../protocol/task-preview.ts';
import { getBoard, listCards } from '../../tasks/board.ts';
import { previewTask } from '../../tasks/preview.ts';
import { Id, Limit, number } from '../parameters.ts';
import { projectsOf } from '../project-scope.ts';
import type { Routes } from '../server.ts';
import { taskDefaults } from '../task-defaults.ts';

const MOST_IDS = 500;
const tags = ['tasks'];

const Ids = z
  .string()
  .max(MOST_IDS * 16)
  .regex(/^\d{1,15}(,\d{1,15})*$/)
  .transform((list) => list.split(',').map(Number))
  .meta({ description: 'Numbers of tasks, separated by commas.' });

const Intent = z.object({
  project: Name,
  agent: TaskInput.shape.agent,
  model: TaskInput.shape.model,
  priority: number(TaskInput.shape.priority.unwrap()).default(0),
  approvePlan: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .meta({ description: 'As the project has it when left out.' }),
});

export const boardRoutes: Routes = (app, context) => {
  const { db, config } = context;
  const books = { timeZone: config.budget.timeZone, currency: config.currency };
  app.get(
    '/board',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: {
        tags,
        summary: 'Tasks by column',
        querystring: BoardFilter.extend({
          cards: number(z.int().min(0).max(200))
            .default(50)
            .meta({ description: 'How many of each column.' }),
          ids: Ids.optional().meta({
            description: 'Numbers of tasks, separated by commas: their cards alone; all are counted.',
          }),
        }),
        response: { 200: Board },
      },
    },
    async (request) => ({
      columns: await getBoard(db, { ...request.query, projects: projectsOf(request) }),
      priorityMinutes: config.scheduling.priorityMinutes,
    }),
  );
  app.get(
    '/cards',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: {
        tags,
        summary: 'List tasks as cards of the board, newest first, those queued in the order of the queue',
        querystring: BoardFilter.extend({
          column: BoardColumn.optional(),
          ids: Ids.optional(),
          limit: Limit,
          before: Id.optional().meta({ description: 'Number of the last task that was seen.' }),
        }),
        response: { 200: z.array(Card) },
      },
    },
    async (request) => await listCards(db, { ...request.query, projects: projectsOf(request) }),
  );
  app.get(
    '/task-preview',
    {
      config: { access: 'viewer', limited: 'filtered' },
      schema: {
        tags,
        summary:
          'What would become of a task: who would do it, what it would wait for, what such tasks have cost',
        querystring: Intent,
        response: { 200: TaskPreview },
      },
    },
    async (request) => {
      const defaults = {
        ...taskDefaults(request, context),
        priorityMinutes: config.scheduling.priorityMinutes,
      };
      return await previewTask(db, request.query, defaults, books, projectsOf(request));
    },
  );
};

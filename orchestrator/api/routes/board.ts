// /board: how many tasks are in each column. /cards: the tasks of a column, a page at a time, or those that an event named.
import { z } from 'zod';
import { Board, BoardColumn, BoardFilter, Card } from '../../../protocol/board.ts';
import { countBoard, listCards } from '../../tasks/board.ts';
import { Id, Limit } from '../parameters.ts';
import type { Routes } from '../server.ts';

const MOST_IDS = 500;
const tags = ['tasks'];

const Ids = z
  .string()
  .max(MOST_IDS * 16)
  .regex(/^\d{1,15}(,\d{1,15})*$/)
  .transform((list) => list.split(',').map(Number))
  .meta({ description: 'Numbers of tasks, separated by commas.' });

export const boardRoutes: Routes = (app, { db }) => {
  app.get(
    '/board',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Count tasks by column', querystring: BoardFilter, response: { 200: Board } },
    },
    async (request) => await countBoard(db, request.query),
  );
  app.get(
    '/cards',
    {
      config: { access: 'viewer' },
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
    async (request) => await listCards(db, request.query),
  );
};

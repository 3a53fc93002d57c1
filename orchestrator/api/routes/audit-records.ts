// /audit-records: who asked for which change, and what came of it.
import { z } from 'zod';
import { Name } from '../../../protocol/ids.ts';
import { AuditRecord } from '../../../protocol/person.ts';
import { text } from '../../../protocol/text.ts';
import { listAudit } from '../../people/audit-log.ts';
import { Id, Limit, Switch } from '../parameters.ts';
import type { Routes } from '../server.ts';

export const auditRecordRoutes: Routes = (app, { db }) => {
  app.get(
    '/audit-records',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['people'],
        summary: 'Changes that people and services asked for, newest first, refused ones too',
        querystring: z.object({
          actor: text().max(100).optional().meta({ description: 'Name of a person or a token.' }),
          project: Name.optional(),
          refused: Switch,
          before: Id.optional().meta({ description: 'Number of the last record that was seen.' }),
          limit: Limit,
        }),
        response: { 200: z.array(AuditRecord) },
      },
    },
    async (request) => await listAudit(db, request.query),
  );
};

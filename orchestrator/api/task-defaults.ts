// Who gives a task by this request, and what the configuration says where task and project do not. Used by the routes that make tasks.
import type { FastifyRequest } from 'fastify';
import type { TaskDefaults } from '../tasks/create.ts';
import { actorOf } from './authentication.ts';
import type { ApiContext } from './context.ts';

/** The defaults of a new task. */
export function taskDefaults(
  request: FastifyRequest,
  { config, models }: Pick<ApiContext, 'config' | 'models'>,
): TaskDefaults {
  return {
    actor: actorOf(request),
    agent: config.agents.default,
    priorityMinutes: config.scheduling.priorityMinutes,
    model: models().find((model) => model.isDefault)?.name ?? null,
    spokenBy: (name) => models().find((model) => model.name === name)?.protocols,
  };
}

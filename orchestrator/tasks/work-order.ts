// All that a runner needs to do a run, read from the database: the answer to a claim, the same each time it is asked for.
import type { RunLimits } from '../../protocol/project.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import type { Queryable } from '../db/connect.ts';
import { messagesOf } from './messages.ts';

/** What the configuration and other parts contribute to a work order. */
export interface ClaimSettings {
  lease: { heartbeatSeconds: number; leaseSeconds: number; selfStopMinutes: number };
  limits: {
    runDeadlineMinutes: number;
    maxIterations: number;
    verifyTimeoutMinutes: number;
    verifyOutputBytes: number;
  };
  gatewayUrl: string;
  tokens(db: Queryable, run: string): Promise<{ runToken: string; gatewayKey: string }>;
  /** Absent where sandboxes have no way out. */
  egress?: ((db: Queryable, run: string) => Promise<WorkOrder['egress']>) | undefined;
}

type OrderRow = Pick<
  WorkOrder,
  | 'run'
  | 'fence'
  | 'installation'
  | 'task'
  | 'project'
  | 'agent'
  | 'isolation'
  | 'verify'
  | 'permissions'
  | 'planning'
  | 'previous'
> & {
  repositories: { id: number; name: string; baseBranch: string }[];
  limits: RunLimits;
  deadline: Date;
};

/** The work order of a run that is leased. */
export async function workOrder(tx: Queryable, run: string, settings: ClaimSettings): Promise<WorkOrder> {
  const { rows } = await tx.query<OrderRow>({
    name: 'work-order',
    text: `select r.id as run, r.fence, (select id from installation) as installation,
        jsonb_build_object('id', t.id, 'title', t.title, 'body', t.body, 'acceptance', t.acceptance,
          'targetFiles', t.target_files, 'kind', t.kind) as task,
        jsonb_build_object('id', p.id, 'name', p.name, 'trusted', p.trusted) as project,
        jsonb_build_object('name', r.agent, 'command', t.agent_command, 'model', r.model) as agent,
        (select jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'baseBranch', u.base_branch) order by u.position)
          from task_repository u join repository p on p.id = u.repository where u.task = t.id) as repositories, r.isolation, p.verify, p.limits || t.limits as limits, r.deadline,
        p.permissions, jsonb_build_object('only', t.approve_plan and t.plan_state is distinct from 'approved',
          'approved', case t.plan_state when 'approved' then t.plan end,
          'rejected', case t.plan_state when 'rejected' then t.plan end) as planning,
        (select jsonb_build_object('run', b.id, 'reason', b.reason) from run b
          where b.task = r.task and b.fence < r.fence and b.state <> 'planned' order by b.fence desc limit 1) as previous
      from run r join task t on t.id = r.task join project p on p.id = t.project where r.id = $1`,
    values: [run],
  });
  const { repositories, verify, limits, deadline, ...order } = rows[0]!;
  const verifyMinutes = limits.verifyTimeoutMinutes ?? settings.limits.verifyTimeoutMinutes;
  return {
    ...order,
    agent: {
      ...order.agent,
      ...(limits.agentTurns === undefined ? {} : { maxTurns: limits.agentTurns }),
      ...(limits.agentUsd === undefined ? {} : { maxUsd: limits.agentUsd }),
    },
    messages: await messagesOf(tx, order.task.id),
    verify,
    repositories: repositories.map((one) => ({
      ...one,
      path: repositories.length === 1 ? '.' : one.name,
      gitPath: `/git/${one.id}.git`,
    })),
    limits: {
      maxIterations: limits.maxIterations ?? settings.limits.maxIterations,
      verifyTimeoutSeconds: verifyMinutes * 60,
      verifyOutputBytes: settings.limits.verifyOutputBytes,
    },
    deadline: deadline.toISOString(),
    lease: {
      heartbeatSeconds: settings.lease.heartbeatSeconds,
      leaseSeconds: settings.lease.leaseSeconds,
      selfStopSeconds: settings.lease.selfStopMinutes * 60,
      takesUsage: true,
    },
    ...(await settings.tokens(tx, run)),
    gatewayUrl: settings.gatewayUrl,
    egress: (await settings.egress?.(tx, run)) ?? null,
  };
}

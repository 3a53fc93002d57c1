// A scenario of the scheduler: what there is, what comes when, how long runs take and how they end, and what is to be decided.
// Files of `autocode schedule simulate`, and what `schedule record` cuts from an installation. Used by api/, cli/ and simulation/.
import { z } from 'zod';
import { Trust } from './intake.ts';
import { Name, Timestamp } from './ids.ts';
import { ProjectInput } from './project.ts';
import { TASK_KINDS } from './task.ts';
import { text } from './text.ts';

const LONG = 'as `90s`, `1h30m`, `2d`';
const Duration = z
  .string()
  .regex(/^(\d+(\.\d+)?(ms|s|m|h|d))+$/, `is no duration, ${LONG}`)
  .meta({ description: `A duration, ${LONG}.` });
const Jump = z
  .string()
  .regex(/^-?(\d+(\.\d+)?(ms|s|m|h|d))+$/, `is no duration, ${LONG}; or one with a minus`);
/** A name, or with `*` several. */
const Pattern = text().min(1).max(300);
/** Most that comes in a scenario. */
export const MOST_ARRIVALS = 200_000;
const Count = z.int().min(1).max(100_000);

/** How a run ends; `lost`: nothing is heard of it any more. */
export const SIMULATED_ENDS = ['verified', 'no-change', 'failed', 'lost'] as const;
const End = z.enum(SIMULATED_ENDS);

const Attempt = z.strictObject({
  takes: z
    .union([Duration, z.strictObject({ median: Duration, p90: Duration })])
    .default('10m')
    .meta({ description: 'Or a median and a 90th percentile, of a log-normal distribution.' }),
  ends: z
    .union([End, z.partialRecord(End, z.number().positive())])
    .default('verified')
    .meta({ description: 'Or several with their weights.' }),
});

const Arrival = z
  .strictObject({
    at: Duration,
    every: Duration.optional().meta({ description: 'Between one and the next, with `count`.' }),
    count: Count.default(1).meta({
      description: '`{n}` in texts is the number, from 0; `{n%17}` its remainder.',
    }),
    delivered: z.int().min(1).max(100).default(1).meta({ description: 'How often each message comes.' }),
    task: z
      .strictObject({
        name: text().min(1).max(200),
        project: text().min(1).max(100),
        repositories: z.array(Name).min(1).optional(),
        kind: z.enum(TASK_KINDS).default('change'),
        priority: z.int().min(-100).max(100).default(0),
      })
      .optional()
      .meta({ description: 'A person gives a task.' }),
    ticket: z
      .strictObject({
        name: text().min(1).max(200),
        source: Name,
        project: text().min(1).max(100).optional(),
        priority: z.int().min(-100).max(100).optional(),
      })
      .optional()
      .meta({ description: 'A ticket in a queue.' }),
    alarm: z
      .strictObject({
        name: text().min(1).max(200),
        source: Name,
        account: text().min(1).max(100),
        state: z.enum(['ALARM', 'OK', 'INSUFFICIENT_DATA']).default('ALARM'),
        since: Duration.optional().meta({
          description: 'When its state changed; as it comes when left out.',
        }),
      })
      .optional()
      .meta({ description: 'An alarm that changed its state, in a queue.' }),
    attempts: z
      .array(Attempt)
      .min(1)
      .optional()
      .meta({ description: 'Of a task or ticket; otherwise by `work`.' }),
  })
  .refine((arrival) => ['task', 'ticket', 'alarm'].filter((key) => key in arrival).length === 1, {
    error: 'needs one of task, ticket, alarm',
  });

const Happening = z
  .strictObject({
    at: Duration,
    kill: z
      .strictObject({
        statement: z.int().min(1).default(1).meta({ description: 'The statement before which it dies.' }),
        awayFor: Duration.default('20s'),
        redelivered: Duration.default('1m').meta({ description: 'Messages of so long before come again.' }),
      })
      .optional()
      .meta({ description: 'The orchestrator is killed, and started again.' }),
    clock: Jump.optional().meta({ description: "The database's clock jumps." }),
    worker: z
      .strictObject({ name: Name, awayFor: Duration })
      .optional()
      .meta({ description: 'A worker cannot reach the orchestrator.' }),
    drain: z.enum(['start', 'stop']).optional(),
  })
  .refine((happening) => Object.keys(happening).length === 2, {
    error: 'needs one of kill, clock, worker, drain',
  });

/** What is counted and looked at. */
export const OBSERVED = ['tasks', 'runs', 'messages', 'items', 'incidents'] as const;

const Expectation = z.strictObject({
  that: text().min(1).max(300).meta({ description: 'The decision, in words.' }),
  of: z.enum(OBSERVED).default('tasks'),
  where: z
    .record(z.string(), Pattern)
    .default({})
    .meta({ description: 'Only those with these values; `*` is any text.' }),
  count: z.int().min(0).optional(),
  atMost: z.int().min(0).optional(),
  atLeast: z.int().min(0).optional(),
  begins: z
    .array(z.string())
    .optional()
    .meta({ description: 'Of runs: all of them in their order, as `NAME at 10m`.' }),
  waitsAtMost: Duration.optional().meta({ description: 'Each, until its first run.' }),
  waitsAtLeast: Duration.optional(),
});
export type Expectation = z.infer<typeof Expectation>;

export const Scenario = z
  .strictObject({
    about: text().min(1).max(2000),
    start: Timestamp.default('2026-03-02T08:00:00Z').meta({
      description: "What the database's clock says at first.",
    }),
    until: Duration.optional().meta({ description: 'Ends then; when nothing more happens when left out.' }),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31)
      .default(1),
    settings: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ description: 'As in the configuration file; what is not named is as by default.' }),
    processes: z
      .int()
      .min(1)
      .max(8)
      .default(1)
      .meta({ description: 'Processes that work on deliveries at once.' }),
    workers: z
      .array(
        z.strictObject({
          name: Name,
          count: Count.default(1),
          capacity: z.int().min(1).max(1000).default(1),
        }),
      )
      .min(1),
    projects: z.array(
      z.strictObject({
        name: Name,
        count: Count.default(1).meta({ description: 'Their names are then NAME-0, NAME-1, …' }),
        repositories: z.array(Name).min(1).optional().meta({ description: 'One of its name when left out.' }),
        settings: z.partialRecord(ProjectInput.keyof(), z.unknown()).default({}),
      }),
    ),
    sources: z
      .array(
        z.strictObject({
          name: Name,
          project: Name.optional(),
          accounts: z
            .record(text().max(100), Name)
            .default({})
            .meta({ description: 'Whose alarms are whose.' }),
          trust: z.partialRecord(Trust.keyof(), z.unknown()).default({}),
        }),
      )
      .default([])
      .meta({ description: 'Queues, with alarms and tickets.' }),
    arrivals: z.array(Arrival).max(MOST_ARRIVALS).default([]),
    work: z
      .array(
        z.strictObject({
          project: Pattern.optional(),
          name: Pattern.optional(),
          kind: z.enum(TASK_KINDS).optional(),
          attempts: z
            .array(Attempt)
            .min(1)
            .meta({ description: 'One a run; the last one also for those that follow.' }),
        }),
      )
      .default([])
      .meta({ description: 'How long runs take and how they end: the first that fits.' }),
    happenings: z.array(Happening).default([]),
    expect: z.array(Expectation).default([]),
  })
  .meta({ id: 'Scenario' });
export type Scenario = z.infer<typeof Scenario>;
export type ScenarioInput = z.input<typeof Scenario>;

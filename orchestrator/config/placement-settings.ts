// Configuration of where runs take place (`placement`): what a run needs of a worker's machine. Part of schema.ts; read by the
// claim, explanations and the dispatcher.
import { z } from 'zod';
import { Name } from '../../protocol/ids.ts';

const Mib = z.int().min(1).max(1_000_000_000);

/**
 * MiB for one run by its agent: the highest memory measured in a short run, and about 256 for the runner and for what the agent
 * starts. `*` is for all others.
 */
const RUN_MEMORY_MIB: Readonly<Record<string, number>> = {
  'claude-code': 512,
  'claude-code-cli': 512,
  codex: 448,
  'qwen-coder': 512,
  opencode: 1280,
  aider: 512,
  'mini-swe-agent': 512,
  gemini: 512,
  command: 256,
  '*': 768,
};

export const PlacementSettings = z.strictObject({
  memoryMib: z
    .record(z.union([z.literal('*'), Name]), Mib)
    .default({})
    .describe(
      `MiB that are set aside on a worker for a run, by agent, \`*\` for all others; besides ${Object.entries(
        RUN_MEMORY_MIB,
      )
        .map(([agent, mib]) => `\`${agent}\` ${mib}`)
        .join(', ')}.`,
    ),
  coresPerRun: z
    .number()
    .min(0)
    .max(1000)
    .default(0.1)
    .describe('Cores that are set aside for a run; agents wait for models most of the time.'),
  diskFreeMib: z
    .int()
    .min(0)
    .default(1024)
    .describe('A worker with less free disk space than so many MiB takes no run.'),
  dispatch: z
    .strictObject({
      max: z.int().min(1).max(10_000).default(16).describe('Most dispatched allocations at a time.'),
    })
    .optional()
    .describe(
      'Dispatches an allocation of `nomad.runJob` for each run of a project with placement `dispatch`, and with `any` when all workers are full; none when left out.',
    ),
});

export type PlacementSettings = z.infer<typeof PlacementSettings>;

/** What one run needs. */
export interface RunNeeds {
  /** By agent, `*` for those that are not named. */
  memoryMib: Readonly<Record<string, number>>;
  cores: number;
  diskFreeMib: number;
}

/** What runs need, by the settings. */
export function runNeeds({ memoryMib, coresPerRun, diskFreeMib }: PlacementSettings): RunNeeds {
  return { memoryMib: { ...RUN_MEMORY_MIB, ...memoryMib }, cores: coresPerRun, diskFreeMib };
}

// Configuration of the drain (`drain`): its files, and how long it waits. Part of schema.ts; read by main.ts.
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { AtDeadline, LONGEST_DRAIN_MINUTES } from '../../protocol/scheduling.ts';

const READY = 'CONDUCTOR_READY_FOR_SAFE_SHUTDOWN';

export const DrainSettings = z.strictObject({
  flagFile: z
    .string()
    .min(1)
    .optional()
    .meta({ path: true })
    .describe(
      'File by which a deployment asks for a safe shutdown, as `/mnt/data/autocode/IS_CONDUCTOR_SHUTTING_DOWN`: with `true` in it no run begins, and the daemon ends when none is active.',
    ),
  readyFile: z
    .string()
    .min(1)
    .optional()
    .meta({ path: true, shownDefault: `\`${READY}\` beside the flag file` })
    .describe('File that is written when no run is active any more; removed at every start.'),
  deadlineMinutes: z
    .number()
    .positive()
    .max(LONGEST_DRAIN_MINUTES)
    .default(120)
    .describe('How long runs may take to end.'),
  atDeadline: AtDeadline.default('wait').describe(
    'What happens atDeadline: `wait` for them still; `cancel` them, and do their tasks again afterwards; `stop` the daemon, they go on without it.',
  ),
});

export type DrainSettings = z.infer<typeof DrainSettings>;

/** The files of the deployment; undefined where none is to be watched. */
export function drainFiles({
  flagFile,
  readyFile,
}: DrainSettings): { flag: string; ready: string } | undefined {
  if (flagFile === undefined) return undefined;
  return { flag: flagFile, ready: readyFile ?? join(dirname(flagFile), READY) };
}

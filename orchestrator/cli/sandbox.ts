// What this machine's sandbox is worth: `autocode worker selftest`, and what doctor and the demo ask. The worker's own tool tells.
import { z } from 'zod';
import { ErrorBody, errorFromBody } from '../../protocol/errors.ts';
import { Isolation } from '../../protocol/project.ts';
import { Exit, type GlobalArgs } from './command.ts';
import { paint, print, printJson } from './output.ts';
import { readPart } from './part.ts';

const TOOL = 'worker-agent/sandbox/cli.ts';

const Finding = z.object({
  name: z.string(),
  result: z.enum(['ok', 'escaped', 'not-tried']),
  detail: z.string(),
});
type Finding = z.infer<typeof Finding>;
const Offer = z.object({ isolations: z.array(Isolation), missing: z.string().nullable() });
export type Offer = z.infer<typeof Offer>;

const Line = z.object({ finding: Finding.optional(), offer: Offer.optional() });

const MARKS = { ok: ['green', '✓'], escaped: ['red', '✗'], 'not-tried': ['yellow', '!'] } as const;

/** Tries every way out of a sandbox on this machine; exit code 1 when one is open. */
export async function selfTest(args: GlobalArgs & { isolation: Isolation }): Promise<void> {
  const findings: Finding[] = [];
  await tool(['selftest', '--isolation', args.isolation], ({ finding }) => {
    if (finding === undefined) return;
    findings.push(finding);
    if (!args.json) print(lineOf(finding));
  });
  const escaped = findings.filter(({ result }) => result === 'escaped').length;
  if (args.json) printJson({ ok: escaped === 0, findings });
  else
    print(
      '',
      escaped === 0 ? `${findings.length} ways out tried: none is open.` : `${escaped} ways out are OPEN.`,
    );
  if (escaped > 0) throw new Exit(1);
}

/** The isolations that runs on this machine can have, and what is missing for the others. */
export async function offeredHere(): Promise<Offer> {
  let found: Offer = { isolations: ['directory'], missing: 'The worker does not say.' };
  await tool(['offer'], ({ offer }) => (found = offer ?? found));
  return found;
}

function lineOf({ name, result, detail }: Finding): string {
  const [style, mark] = MARKS[result];
  return `${paint(style, mark)} ${name}: ${result === 'escaped' ? 'OPEN: ' : ''}${detail}`;
}

/** Runs the tool; its error becomes ours. */
async function tool(words: string[], tell: (line: z.infer<typeof Line>) => void): Promise<void> {
  let failure: Error | undefined;
  await readPart(TOOL, [...words, '--json'], (line) => {
    const said: unknown = JSON.parse(line);
    const refused = ErrorBody.safeParse(said);
    if (refused.success) failure = errorFromBody(refused.data, 500);
    else tell(Line.parse(said));
  });
  if (failure !== undefined) throw failure;
}

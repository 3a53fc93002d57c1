// The report of an investigation: its agent writes it beside the work tree, and without it the work is not verified. It is read by a
// program inside, since outside a link in its place would lead anywhere. Used by the pipeline.
import { z } from 'zod';
import { REPORT_SECTIONS, Report } from '../../protocol/report.ts';
import type { CheckResult } from '../../protocol/run.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { GIVE, READ } from './notes-inside.ts';
import { runInside } from './notes.ts';
import type { Pipeline } from './run-record.ts';

const FOLDER = 'report';
const FILE = 'report.md';
/** Its name among the checks of the run. */
const CHECK = 'report';
const LONGEST = 64 * 1024;
const MOST_FILES = 50;

const Read = z.union([
  z.object({ files: z.array(z.object({ path: z.string(), text: z.string() })) }),
  z.object({ refused: z.string() }),
]);

const NAMES = Object.entries(REPORT_SECTIONS) as [keyof Report, string][];

/** The file in HOME that the report is written to; null where none is wanted. */
export async function giveReport(
  { order, signal }: Pick<Pipeline, 'order' | 'signal'>,
  sandbox: Sandbox,
): Promise<string | null> {
  if (order.task.kind !== 'investigate' || order.planning.only) return null;
  await runInside(sandbox, [GIVE, sandbox.home], JSON.stringify([{ name: FOLDER, files: [] }]), signal);
  return `${sandbox.home}/${FOLDER}/${FILE}`;
}

/** The sandbox as the agent has it: `AUTOCODE_REPORT` says where its report goes. */
export function withReport(sandbox: Sandbox, file: string | null): Sandbox {
  if (file === null) return sandbox;
  return {
    ...sandbox,
    spawn: (argv, options) =>
      sandbox.spawn(argv, { ...options, env: { AUTOCODE_REPORT: file, ...options.env } }),
  };
}

/** Takes the report into the run's record, as one of its checks; whether it is there, or none is wanted. */
export async function takeReport(
  pipeline: Pipeline,
  sandbox: Sandbox,
  file: string | null,
): Promise<boolean> {
  if (file === null) return true;
  const { record, log } = pipeline;
  const started = performance.now();
  const read = await readReport(pipeline, sandbox);
  record.report = 'report' in read ? read.report : null;
  const head: CheckResult = {
    status: 'report' in read ? 'passed' : 'failed',
    exitCode: 'report' in read ? 0 : 1,
    durationMs: Math.round(performance.now() - started),
    output: 'report' in read ? '' : read.wrong,
  };
  const others = record.checks.filter(({ command }) => command !== file);
  record.checks = [...others, { name: CHECK, command: file, base: null, head }];
  if ('wrong' in read) log.event({ type: 'notice', text: `There is no report: ${read.wrong}` });
  return 'report' in read;
}

async function readReport(
  { signal }: Pipeline,
  sandbox: Sandbox,
): Promise<{ report: Report } | { wrong: string }> {
  const argv = [READ, `${sandbox.home}/${FOLDER}`, String(MOST_FILES), String(LONGEST)];
  try {
    const read = Read.parse(JSON.parse(await runInside(sandbox, argv, '', signal)));
    if ('refused' in read) return { wrong: `It cannot be read. ${read.refused.slice(0, 500)}` };
    const text = read.files.find(({ path }) => path === FILE)?.text;
    return text === undefined ? { wrong: `The file ${FILE} is not there.` } : parseReport(text);
  } catch (error) {
    signal.throwIfAborted();
    return { wrong: `It cannot be read: ${(error as Error).message}`.slice(0, 1000) };
  }
}

/** A report from its Markdown: the text under each of the headings, of whatever level. */
export function parseReport(text: string): { report: Report } | { wrong: string } {
  const heading = new RegExp(
    `^#{1,6}[ \\t]+(${NAMES.map(([, name]) => name).join('|')})[ \\t]*:?[ \\t]*$`,
    'gim',
  );
  const found = [...text.matchAll(heading)];
  const sections = new Map(
    found.map((each, index) => [
      each[1]!.toLowerCase(),
      text.slice(each.index + each[0].length, found[index + 1]?.index).trim(),
    ]),
  );
  const given = Object.fromEntries(NAMES.map(([key, name]) => [key, sections.get(name.toLowerCase()) ?? '']));
  const missing = NAMES.filter(([key]) => given[key] === '').map(([, name]) => `"# ${name}"`);
  if (missing.length > 0) return { wrong: `It has nothing under ${missing.join(', ')}.` };
  const report = Report.safeParse(given);
  if (report.success) return { report: report.data };
  return { wrong: z.prettifyError(report.error) };
}

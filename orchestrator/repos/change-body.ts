// The text of a pull request: what was asked, what was done, whether it holds, what it took.
// Used by submission. All text from outside is escaped or fenced, so that it cannot break the layout.
import type { Check, CheckResult, Plan, Usage } from '../../protocol/run.ts';
import type { Finding } from '../../protocol/submission.ts';
import type { Refusal } from '../../protocol/traffic.ts';

export interface ChangeBodyInput {
  task: number;
  run: string;
  title: string;
  body: string;
  acceptance: string[];
  plan: Plan | null;
  checks: Check[];
  /** What the submission checks warn of. */
  notes: Finding[];
  /** What the run asked for outside and did not get. */
  refusals: Refusal[];
  agent: string;
  agentVersion: string | null;
  model: string;
  iterations: number;
  usage: Usage;
  currency: string;
  /** The changes that the same task brings in other repositories. */
  together: Sibling[];
  /** The issue of the same repository that merging it closes. */
  closes: number | null;
  /** The open change of another task that it is built upon. */
  below: { id: number; url: string | null; branch: string } | null;
}

/** A change of the same task: the name of its repository, and where it is, an address or words. */
export interface Sibling {
  repository: string;
  place: string;
}

const BODY_MAX = 20_000;
const REFUSALS_MAX = 20;
const REFUSAL_MAX = 300;
const MARKS = { passed: '✅', failed: '❌', 'timed-out': '⏱️', 'not-run': '—' };
const BOXES = { completed: '[x]', skipped: '[ ]', failed: '[ ]', pending: '[ ]', 'in-progress': '[ ]' };

/** The pull request's body in Markdown. */
export function changeBody(input: ChangeBodyInput): string {
  const sections = [
    `## Asked\n\n**${inline(input.title)}**`,
    quotedText(input.body),
    input.acceptance.length === 0
      ? ''
      : `Accepted when:\n\n${input.acceptance.map((one) => `- ${inline(one)}`).join('\n')}`,
    // Understood by every forge, where it stands in a paragraph of its own.
    input.closes === null ? '' : `Closes #${input.closes}`,
    belowSection(input.below),
    togetherSection(input.together),
    planSection(input.plan),
    checksSection(input.checks),
    notesSection(input.notes),
    refusalsSection(input.refusals),
    takenSection(input),
  ];
  return `${sections.filter(Boolean).join('\n\n')}\n`;
}

function belowSection(below: ChangeBodyInput['below']): string {
  if (below === null) return '';
  const where = below.url ?? `${code(below.branch)} (change ${below.id})`;
  return `## Built upon\n\n${where} is not merged yet: merge that first. Until then this change shows its commits, too.`;
}

/** The same text without the section on what the change is built upon. */
export function withoutBelow(body: string): string {
  return body.replace(/## Built upon\n\n[^\n]* is not merged yet: merge that first\.[^\n]*\n*/, '');
}

function togetherSection(together: Sibling[]): string {
  if (together.length === 0) return '';
  const lines = together.map(
    ({ repository, place }) => `- ${inline(repository)}: ${/^https?:/.test(place) ? place : inline(place)}`,
  );
  return `## Together with\n\nThe task changes several repositories; these changes belong together:\n\n${lines.join('\n')}`;
}

function planSection(plan: Plan | null): string {
  if (plan === null || (plan.summary === '' && plan.steps.length === 0)) return '';
  const steps = plan.steps.map(({ title, status }) => {
    const note = status === 'completed' || status === 'pending' ? '' : ` _(${status})_`;
    return `- ${BOXES[status]} ${inline(title)}${note}`;
  });
  return ['## Plan', inline(plan.summary), steps.join('\n')].filter(Boolean).join('\n\n');
}

function checksSection(checks: Check[]): string {
  if (checks.length === 0) return '## Checks\n\nThe project has no verify commands: nothing was checked.';
  const rows = checks.map(({ name, command, base, head }) => {
    const cells = [
      inline(name),
      code(command),
      shownResult(base),
      `${shownResult(head)}${remark(base, head)}`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return ['## Checks', ['| check | command | before | now |', '|---|---|---|---|', ...rows].join('\n')].join(
    '\n\n',
  );
}

function notesSection(notes: Finding[]): string {
  if (notes.length === 0) return '';
  const lines = notes.map(
    ({ rule, path, reason }) => `- ${path === null ? 'the change' : code(path)}: ${inline(reason)} (${rule})`,
  );
  return `## Notes\n\n${lines.join('\n')}`;
}

function refusalsSection(refusals: Refusal[]): string {
  if (refusals.length === 0) return '';
  const lines = refusals.slice(0, REFUSALS_MAX).map(({ method, url, times, allowedBy, misused, during }) => {
    const then = during === null ? '' : ` during ${code(during.slice(0, REFUSAL_MAX))}`;
    const again = times === 1 ? '' : `, ${times} times`;
    const rule = allowedBy === null ? '' : `; a rule that would allow it: ${code(allowedBy)}`;
    const misuse = misused === null ? '' : '; it was to take a secret where it must not go';
    return `- ${code(`${method} ${url}`.slice(0, REFUSAL_MAX))}${then}${again}${rule}${misuse}`;
  });
  const more = refusals.length > REFUSALS_MAX ? `\n- and ${refusals.length - REFUSALS_MAX} more` : '';
  return `## Not allowed\n\nThe egress policy refused the run:\n\n${lines.join('\n')}${more}`;
}

function shownResult(result: CheckResult | null): string {
  if (result === null || result.status === 'not-run') return MARKS['not-run'];
  const exit = result.status === 'failed' && result.exitCode !== null ? ` exit ${result.exitCode}` : '';
  return `${MARKS[result.status]} ${result.status}${exit}, ${seconds(result.durationMs)}`;
}

function remark(base: CheckResult | null, head: CheckResult | null): string {
  const wasBroken = base?.status === 'failed' || base?.status === 'timed-out';
  if (!wasBroken || head === null) return '';
  return head.status === 'passed' ? ' (was broken before)' : ' (was broken before, and still is)';
}

function takenSection({
  task,
  run,
  agent,
  agentVersion,
  model,
  iterations,
  usage,
  currency,
}: ChangeBodyInput): string {
  const { inputTokens, cachedTokens, outputTokens, costMicros, calls } = usage;
  const cost = (costMicros / 1e6).toFixed(costMicros > 0 && costMicros < 1e6 ? 4 : 2);
  const rows = [
    ['task, run', `${task}, ${run}`],
    ['agent', inline(`${agent}${agentVersion === null ? '' : ` ${agentVersion}`}`)],
    ['model', model === '' ? '—' : code(model)],
    ['iterations', String(iterations)],
    ['model calls', String(calls)],
    [
      'tokens',
      `${count(inputTokens)} in (${count(cachedTokens)} of them cached), ${count(outputTokens)} out`,
    ],
    ['cost', `${cost} ${inline(currency)}`],
  ];
  return `## What it took\n\n| | |\n|---|---|\n${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`;
}

// A fence longer than any run of backticks inside cannot be closed from inside.
function quotedText(text: string): string {
  const clean = withoutControls(text).trim();
  if (clean === '') return '';
  const shown = clean.length > BODY_MAX ? `${clean.slice(0, BODY_MAX)}\n[…]` : clean;
  const fence = '`'.repeat(Math.max(3, longestTicks(shown) + 1));
  return `${fence}text\n${shown}\n${fence}`;
}

/** Text in one line whose every Markdown or HTML character is only itself, and which names nobody. */
export function inline(text: string): string {
  return withoutControls(text)
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_{}[\]<>()#|~!&]/g, (mark) =>
      mark === '<' ? '&lt;' : mark === '&' ? '&amp;' : `\\${mark}`,
    )
    .replace(/^([-+]|\d+\.)(?= )/, '\\$1')
    .replaceAll('@', '@\u200b');
}

// A code span in a table: a bar would end the cell, even inside.
function code(text: string): string {
  const line = withoutControls(text).replace(/\s+/g, ' ').trim().replaceAll('|', '\\|');
  const ticks = '`'.repeat(longestTicks(line) + 1);
  return line.includes('`') ? `${ticks} ${line} ${ticks}` : `${ticks}${line}${ticks}`;
}

function longestTicks(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
}

function seconds(ms: number): string {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function withoutControls(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(/[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g, '');
}

// A report as a file that people or spreadsheets read: CSV, JSON, or one HTML page with plots, which needs nothing else and
// prints well. Used by the CLI and by scheduled reports.
import type { UsageReport, UsageRow } from '../../protocol/budget.ts';
import { moneyText } from './words.ts';

export const REPORT_FORMATS = ['html', 'csv', 'json'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** The report as text of this format. */
export function reportText(report: UsageReport, format: ReportFormat): string {
  if (format === 'json') return `${JSON.stringify(report, null, 2)}\n`;
  return format === 'csv' ? csv(report) : html(report);
}

const amount = (micros: number) => (micros / 1e6).toFixed(6);

// One table, so that any program can read it: idle GPUs, which are in no row, are in the other formats.
function csv({ by, rows, currency }: UsageReport): string {
  const head = [by, 'calls', 'input_tokens', 'cached_tokens', 'output_tokens', 'reasoning_tokens'];
  const lines = rows.map((row) => [
    cell(row.key),
    row.calls,
    row.inputTokens,
    row.cachedTokens,
    row.outputTokens,
    row.reasoningTokens,
    amount(row.money),
    amount(row.platformMoney),
    (row.gpu / 1000).toFixed(3),
    currency,
  ]);
  return [[...head, 'cost', 'platform_cost', 'gpu_seconds', 'currency'], ...lines]
    .map((line) => `${line.join(',')}\r\n`)
    .join('');
}

// A cell that begins with one of these would be a formula in a spreadsheet.
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #667; --line: #d5d9de; --bar: #3867d6; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #9aa3ad; --line: #343a42; --bar: #7ea2ff; --paper: #14171a; } }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1rem; margin: 2rem 0 .5rem; } p, figcaption { color: var(--soft); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem; margin: 1.5rem 0; }
dt { color: var(--soft); } dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; } dd small { font-size: .8rem; color: var(--soft); display: block; }
figure { margin: 0; } svg { width: 100%; height: auto; overflow: visible; } rect { fill: var(--bar); } text { fill: var(--soft); font-size: 11px; } line { stroke: var(--line); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: right; }
th { color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
@media print { :root { --ink: #000; --soft: #444; --line: #bbb; --bar: #444; --paper: #fff; } body { margin: 0; max-width: none; } tr, figure, dl { break-inside: avoid; } thead { display: table-header-group; } }`;

function html(report: UsageReport): string {
  const { from, to, by, project, currency, rows, total, previous, forecast, merged, idle, timeZone, madeAt } =
    report;
  const money = (micros: number) => escape(moneyText(micros, currency));
  const title = `Usage ${from} to ${to}${project === null ? '' : `, ${project}`}`;
  const facts: [string, string, string][] = [
    [
      'Cost',
      money(total.money),
      `before: ${money(previous.total.money)}${change(total.money, previous.total.money)}`,
    ],
    [
      'Forecast',
      forecast === null ? '–' : money(forecast),
      forecast === null ? 'the period is over' : 'at the rate so far',
    ],
    [
      'Merged changes',
      String(merged.changes),
      merged.money === null ? 'none' : `${money(merged.money)} each`,
    ],
    ['Caused by the platform', money(total.platformMoney), 'its own retries, calls lost in a crash'],
    ['Calls', number(total.calls), `before: ${number(previous.total.calls)}`],
    ['Tokens in', number(total.inputTokens), `${share(total.cachedTokens, total.inputTokens)} cached`],
    ['Tokens out', number(total.outputTokens), `${number(total.reasoningTokens)} reasoning`],
    ['GPU time', hours(total.gpu), ''],
  ];
  if (idle.length > 0)
    facts.push([
      'Idle GPUs',
      money(idle.reduce((sum, each) => sum + each.money, 0)),
      'without energy; in no sum here',
    ]);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title><style>${STYLE}</style>
<h1>${escape(title)}</h1>
<p>Made ${escape(madeAt.slice(0, 16).replace('T', ' '))} UTC; days are those of ${escape(timeZone)}.</p>
<dl>${facts.map(([name, value, more]) => `<div><dt>${name}</dt><dd>${value}<small>${more}</small></dd></div>`).join('')}</dl>
<h2>Cost by day</h2>${dayPlot(report)}
${by === 'day' ? '' : `<h2>Cost by ${by}</h2>${barPlot(rows, currency)}`}
<h2>By ${by}</h2>
<table><thead><tr><th>${by}<th>Calls<th>Tokens in<th>Cached<th>Tokens out<th>GPU s<th>Platform<th>Cost</thead><tbody>
${rows.map((row) => `<tr><td>${escape(row.key === '' ? '(none)' : row.key)}<td>${number(row.calls)}<td>${number(row.inputTokens)}<td>${share(row.cachedTokens, row.inputTokens)}<td>${number(row.outputTokens)}<td>${number(Math.round(row.gpu / 1000))}<td>${money(row.platformMoney)}<td>${money(row.money)}`).join('\n')}
</tbody></table>
${idle.length === 0 ? '' : idleTable(idle, money)}
</html>
`;
}

function idleTable(idle: UsageReport['idle'], money: (micros: number) => string): string {
  const lines = idle.map(
    (each) =>
      `<tr><td>${escape(each.engine)}<td>${each.gpus}<td>${hours(each.busy)}<td>${hours(each.idle)}<td>${money(each.money)}`,
  );
  return `<h2>Idle GPUs</h2><p>Paid for while no call kept them busy; charged to nobody.</p>
<table><thead><tr><th>engine<th>GPUs<th>Busy<th>Idle<th>Cost</thead><tbody>
${lines.join('\n')}
</tbody></table>`;
}

function dayPlot({ days, currency }: UsageReport): string {
  const width = 900;
  const height = 180;
  const most = Math.max(1, ...days.map(({ money }) => money));
  const step = width / Math.max(1, days.length);
  const bars = days.map(({ day, money }, index) => {
    const tall = (money / most) * (height - 30);
    return `<rect x="${(index * step + step * 0.1).toFixed(1)}" y="${(height - 18 - tall).toFixed(1)}" width="${(step * 0.8).toFixed(1)}" height="${tall.toFixed(1)}"><title>${day}: ${escape(moneyText(money, currency))}</title></rect>`;
  });
  const every = Math.max(1, Math.ceil(days.length / 10));
  const names = days.map(({ day }, index) =>
    index % every === 0
      ? `<text x="${(index * step + step / 2).toFixed(1)}" y="${height - 4}" text-anchor="middle">${days.length > 366 ? day.slice(0, 7) : day.slice(5)}</text>`
      : '',
  );
  return `<figure><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Cost by day"><line x1="0" x2="${width}" y1="${height - 18}" y2="${height - 18}"/>${bars.join('')}${names.join('')}</svg><figcaption>Highest day: ${escape(moneyText(most === 1 ? 0 : most, currency))}</figcaption></figure>`;
}

const BARS = 15;

function barPlot(rows: UsageRow[], currency: string): string {
  const shown = rows.slice(0, BARS);
  const most = Math.max(1, ...shown.map(({ money }) => money));
  const tall = 22;
  const bars = shown.map(({ key, money }, index) => {
    const y = index * tall;
    const wide = (money / most) * 480;
    return `<text x="290" y="${y + 15}" text-anchor="end">${escape(short(key === '' ? '(none)' : key))}</text><rect x="300" y="${y + 4}" width="${wide.toFixed(1)}" height="${tall - 8}"/><text x="${(306 + wide).toFixed(1)}" y="${y + 15}">${escape(moneyText(money, currency))}</text>`;
  });
  const rest = rows.length > BARS ? `<figcaption>The ${BARS} dearest of ${rows.length}.</figcaption>` : '';
  return `<figure><svg viewBox="0 0 900 ${Math.max(1, shown.length) * tall}" role="img" aria-label="Cost, the dearest first">${bars.join('')}</svg>${rest}</figure>`;
}

const hours = (ms: number) => `${(ms / 3_600_000).toFixed(2)} h`;
const characters = new Intl.Segmenter('en');
function short(text: string): string {
  const cut = [...characters.segment(text)].map(({ segment }) => segment);
  return cut.length > 45 ? `${cut.slice(0, 44).join('')}…` : text;
}
const number = (value: number) => value.toLocaleString('en');
const share = (part: number, whole: number) => (whole === 0 ? '–' : `${Math.round((100 * part) / whole)} %`);

function change(now: number, before: number): string {
  if (before === 0) return '';
  const percent = Math.round((100 * (now - before)) / before);
  return ` (${percent > 0 ? '+' : ''}${percent} %)`;
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escape = (text: string) => text.replace(/[&<>"']/g, (mark) => ENTITIES[mark]!);

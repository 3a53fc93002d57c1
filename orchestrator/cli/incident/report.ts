// The report of an investigation as text. Used by `incident show`, `task show` and `run show`.
import { REPORT_SECTIONS, type Report } from '../../../protocol/report.ts';
import { printable } from '../format.ts';
import { paint } from '../output.ts';

/** Its sections under their headings. */
export function drawReport(report: Report): string {
  const sections = Object.entries(REPORT_SECTIONS) as [keyof Report, string][];
  return sections
    .map(([key, heading]) => `${paint('dim', heading)}\n${printable(report[key]).trim()}`)
    .join('\n\n');
}

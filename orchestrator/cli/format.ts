// Values as people read them: times, durations, bytes, money, tokens. Pure; used by every verb that prints.

/** `3 m ago`, `in 2 h`; `-` for null. */
export function relativeTime(at: string | null, now = Date.now()): string {
  if (at === null) return '-';
  const distance = now - Date.parse(at);
  if (Math.abs(distance) < 1500) return 'now';
  const text = span(Math.abs(distance));
  return distance > 0 ? `${text} ago` : `in ${text}`;
}

/** A moment to the second, in UTC: where it matters when something was, not how long ago. */
export function timestamp(at: string): string {
  return at.replace('T', ' ').slice(0, 19);
}

/** One unit, rounded down: `45 s`, `3 m`, `2 h`, `9 d`. */
function span(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A duration: `12 ms`, `1.4 s`, `3 m 05 s`, `2 h 10 m`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} m`;
}

/** Time that goes on, in whole seconds: `7 s`, `1 m 05 s`. */
export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return seconds < 60 ? `${seconds} s` : duration(seconds * 1000);
}

/** `512 B`, `1.5 KiB`, `20 GiB`. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1).replace(/\.0$/, '')} ${units[unit]}`;
}

/** Millionths of a currency as an amount: with its minor units, four decimals below one unit, never a silent zero. */
export function money(micros: number, currency: string): string {
  const amount = micros / 1e6;
  if (micros > 0 && micros < 100) return `< 0.0001 ${currency}`;
  return `${amount.toFixed(amount !== 0 && Math.abs(amount) < 1 ? 4 : minorUnits(currency))} ${currency}`;
}

function minorUnits(currency: string): number {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}

/** `950`, `12.3k`, `4.1M`. */
export function count(value: number): string {
  if (value < 1000) return String(value);
  if (value < 999_950) return `${(value / 1000).toFixed(1)}k`;
  return `${(value / 1e6).toFixed(1)}M`;
}

/** The first 10 digits of a commit. */
export function shortCommit(commit: string | null): string {
  return commit === null ? '-' : commit.slice(0, 10);
}

/** Text from elsewhere without control characters that would move the cursor or colour the terminal; newlines and tabs stay. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(
    /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    '',
  );
}

/** The same in one line. */
export function oneLine(text: string): string {
  return printable(text).replace(/\s+/g, ' ').trim();
}

// What the board is narrowed to, as it stands in the address; and views that were saved in this browser by a name.
import { BOARD_WORDS } from './words.ts';
import type { BoardColumn } from '../../../protocol/board.ts';

export interface Filter {
  project?: string;
  agent?: string;
  source?: string;
  text?: string;
  /** Columns that are shown; all when left out. */
  columns?: BoardColumn[];
}

const WORDS = ['project', 'agent', 'source', 'text'] as const;

/** Reads the filter of an address; what is not one is left out. */
export function filterOf(search: Record<string, unknown>): Filter {
  const filter: Filter = {};
  for (const word of WORDS) {
    const value = search[word];
    if ((typeof value === 'string' || typeof value === 'number') && value !== '')
      filter[word] = String(value);
  }
  const { columns } = search;
  if (typeof columns === 'string') {
    const known = columns.split(',').filter((each): each is BoardColumn => each in BOARD_WORDS);
    if (known.length > 0) filter.columns = known;
  }
  return filter;
}

/** The words of an address that say the filter. */
export function searchOf({ columns, ...words }: Filter): Record<string, string> {
  const given = Object.entries(words).filter(([, value]) => value !== undefined && value !== '');
  return { ...Object.fromEntries(given), ...(columns === undefined ? {} : { columns: columns.join(',') }) };
}

/** Views by their names. */
export type Views = Record<string, Record<string, string>>;
const KEY = 'autocode-views';

/** The views that were saved here. */
export function savedViews(): Views {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Views;
  } catch {
    return {};
  }
}

/** Keeps the views. */
export function saveViews(views: Views): void {
  localStorage.setItem(KEY, JSON.stringify(views));
}

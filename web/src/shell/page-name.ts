// What a page is called, by its address: in the window's title, and in the bar where it is narrow.
import { PLACES } from './nav.ts';

const OF_ONE: [address: RegExp, name: (id: string) => string][] = [
  [/^\/tasks\/([^/]+)$/, (id) => `Task ${id}`],
  [/^\/runs\/([^/]+)\/log$/, (id) => `Log of ${id}`],
  [/^\/changes\/([^/]+)$/, (id) => `Change ${id}`],
  [/^\/incidents\/([^/]+)$/, (id) => `Incident ${id}`],
  [/^\/projects\/([^/]+)$/, (id) => `Project ${id}`],
  [/^\/fleet\/allocations\/([^/]+)$/, (id) => `Allocation ${id.slice(0, 8)}`],
  [/^\/(first)-run$/, () => 'First steps'],
];

/** The name; that of the page above where an address has none of its own. */
export function pageName(pathname: string): string {
  for (const [address, name] of OF_ONE) {
    const id = address.exec(pathname)?.[1];
    if (id !== undefined) return name(id);
  }
  if (pathname === '/first-run') return 'First steps';
  const place = PLACES.find(({ to }) => pathname === to || (to !== '/' && pathname.startsWith(`${to}/`)));
  return place?.label ?? 'Autocode';
}

/** The window's title: how much is unread, the page. */
export function windowTitle(name: string, unread: number): string {
  const count = unread === 0 ? '' : `(${unread}) `;
  return name === 'Autocode' ? `${count}${name}` : `${count}${name} · Autocode`;
}

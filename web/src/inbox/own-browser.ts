// What was chosen for this browser: kept here alone, as it is about the browser and not about the person.

/** push: the daemon sends to it by the browser's push service. page: an open page tells by itself, where there is no such service. */
export type Way = 'push' | 'page';

const KEY = 'autocode-notify';

/** How this browser tells somebody; undefined: not at all. */
export function chosenWay(person: string): Way | undefined {
  const [way, ...name] = (localStorage.getItem(KEY) ?? '').split(' ');
  return name.join(' ') === person && (way === 'push' || way === 'page') ? way : undefined;
}

/** Chooses it. */
export function chooseWay(person: string, way: Way | undefined): void {
  if (way === undefined) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, `${way} ${person}`);
}

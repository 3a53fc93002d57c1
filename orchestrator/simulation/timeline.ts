// What is to happen, by its time: a binary heap. What is to happen at one time happens in the order in which it was put there.
// Used by simulate.ts.

interface Entry<T> {
  at: number;
  order: number;
  what: T;
}

export class Timeline<T> {
  readonly #heap: Entry<T>[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Puts something there; `first`: before all else of that time. */
  add(at: number, what: T, first = false): void {
    const heap = this.#heap;
    const order = ++this.#order;
    heap.push({ at, order: first ? -order : order, what });
    for (let here = heap.length - 1; here > 0;) {
      const above = (here - 1) >> 1;
      if (before(heap[above]!, heap[here]!)) break;
      this.#swap(above, here);
      here = above;
    }
  }

  /** Takes what comes next. */
  next(): { at: number; what: T } | undefined {
    const heap = this.#heap;
    const next = heap[0];
    const last = heap.pop();
    if (next === undefined || last === next) return next;
    heap[0] = last!;
    for (let here = 0; ;) {
      const [left, right] = [2 * here + 1, 2 * here + 2];
      let first = here;
      if (left < heap.length && before(heap[left]!, heap[first]!)) first = left;
      if (right < heap.length && before(heap[right]!, heap[first]!)) first = right;
      if (first === here) return next;
      this.#swap(first, here);
      here = first;
    }
  }

  #swap(one: number, other: number): void {
    [this.#heap[one], this.#heap[other]] = [this.#heap[other]!, this.#heap[one]!];
  }
}

function before<T>(one: Entry<T>, other: Entry<T>): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

// Which lines of a long list are in view. A browser's elements have a greatest height: beyond it the bar at the side is a scale of the
// whole, while small movements stay what they are.
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';

/** Less than what every browser draws. */
const MOST_HEIGHT = 15_000_000;

export interface Scroller {
  /** Height of what scrolls, in pixels. */
  height: number;
  /** First line in view, from 0, and how many are. */
  first: number;
  count: number;
  /** Where the first line is drawn. */
  top: number;
  /** Brings a line into view, from 0. */
  show(line: number): void;
  /** Brings the end into view, and keeps it there while `follow` holds. */
  toEnd(): void;
  scrolled(): void;
}

/** Scrolls `total` lines of `lineHeight` in an element. `onUser`: somebody scrolled, and whether the end is in view now. */
export function useScroller(
  element: RefObject<HTMLDivElement | null>,
  {
    total,
    lineHeight,
    follow,
    onUser,
  }: {
    total: number;
    lineHeight: number;
    follow: boolean;
    onUser(atEnd: boolean): void;
  },
): Scroller {
  const [view, setView] = useState({ top: 0, height: 0 });
  // Where the bar is, and what place of the list that stands for.
  const place = useRef({ bar: 0, top: 0 });
  const whole = total * lineHeight;
  const height = Math.min(whole, MOST_HEIGHT);
  const most = Math.max(0, whole - view.height);
  const scale = most / Math.max(1, height - view.height);

  const go = useCallback(
    (top: number) => {
      const to = Math.max(0, Math.min(most, top));
      const bar = scale === 0 ? 0 : to / scale;
      element.current!.scrollTop = bar;
      place.current = { bar: element.current!.scrollTop, top: to };
      setView((now) => ({ ...now, top: to }));
    },
    [element, most, scale],
  );

  useLayoutEffect(() => {
    const measured = new ResizeObserver(([entry]) => {
      const { height: seen } = entry!.contentRect;
      setView((now) => ({ ...now, height: seen }));
    });
    measured.observe(element.current!);
    return () => measured.disconnect();
  }, [element]);
  useLayoutEffect(() => {
    if (follow) go(most);
  }, [follow, most, go]);
  useEffect(() => {
    const at = element.current!;
    const settle = () => go(place.current.top); // small movements have left the bar beside its place
    if (scale > 1.001) at.addEventListener('scrollend', settle);
    return () => at.removeEventListener('scrollend', settle);
  }, [element, scale, go]);

  const first = Math.floor(view.top / lineHeight);
  return {
    height,
    first,
    count: Math.ceil(view.height / lineHeight) + 1,
    top: place.current.bar - (view.top - first * lineHeight),
    show: (line) => go((line + 0.5) * lineHeight - view.height / 2),
    toEnd: () => go(most),
    scrolled() {
      const bar = element.current!.scrollTop;
      const moved = bar - place.current.bar;
      if (Math.abs(moved) < 0.5) return;
      const small = Math.abs(moved) < view.height * 2;
      const top = Math.max(0, Math.min(most, small ? place.current.top + moved : bar * scale));
      place.current = { bar, top };
      setView((now) => ({ ...now, top }));
      onUser(most - top < lineHeight);
    },
  };
}

// Lines that stay and, on a terminal, one last line that is rewritten while something goes on. Used by watch and demo.
import { paint } from '../output.ts';
import { truncate } from '../width.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const CLEAR_LINE = '\r\u001b[K';

export interface Screen {
  line(text: string): void;
  /** What goes on now; null for nothing. A function is asked at every redraw. */
  status(text: (() => string) | null): void;
  close(): void;
}

/** A screen on `out`; where that is no terminal there is no status line. */
export function openScreen(out: NodeJS.WriteStream): Screen {
  if (!out.isTTY) return { line: (text) => void out.write(`${text}\n`), status() {}, close() {} };
  let current: (() => string) | null = null;
  let frame = 0;
  const draw = () => {
    if (current === null) return;
    frame = (frame + 1) % FRAMES.length;
    out.write(`${CLEAR_LINE}${paint('cyan', FRAMES[frame] ?? '')} ${truncate(current(), (out.columns || 80) - 3)}`);
  };
  const timer = setInterval(draw, FRAME_MS);
  timer.unref();
  return {
    line(text) {
      out.write(`${current === null ? '' : CLEAR_LINE}${text}\n`);
      draw();
    },
    status(text) {
      if (current !== null && text === null) out.write(CLEAR_LINE);
      current = text;
      draw();
    },
    close() {
      clearInterval(timer);
      if (current !== null) out.write(CLEAR_LINE);
      current = null;
    },
  };
}

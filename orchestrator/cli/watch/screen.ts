// Lines that stay and, on a terminal, one last line that is rewritten while something goes on. Used by watch and demo.
import { stripVTControlCharacters } from 'node:util';
import { paint, type Style } from '../output.ts';
import { displayWidth, truncate, wrapWords } from '../width.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const CLEAR_LINE = '\r\u001b[K';

export interface Screen {
  line(text: string): void;
  /** A text behind a prefix, its further lines indented alike; on a terminal wrapped between words. */
  paragraph(prefix: string, text: string, style?: Style): void;
  /** What goes on now; null for nothing. A function is asked at every redraw. */
  status(text: (() => string) | null): void;
  close(): void;
}

/** A screen on `out`; where that is no terminal there is no status line. */
export function openScreen(out: NodeJS.WriteStream): Screen {
  const print = (text: string) => void out.write(`${text}\n`);
  if (!out.isTTY)
    return {
      line: print,
      paragraph: (prefix, text, style) => print(prefix + paint(style, text)),
      status() {},
      close() {},
    };
  let current: (() => string) | null = null;
  let frame = 0;
  const draw = () => {
    if (current === null) return;
    frame = (frame + 1) % FRAMES.length;
    out.write(
      `${CLEAR_LINE}${paint('cyan', FRAMES[frame] ?? '')} ${truncate(current(), (out.columns || 80) - 3)}`,
    );
  };
  const timer = setInterval(draw, FRAME_MS);
  timer.unref();
  const line = (text: string) => {
    print(`${current === null ? '' : CLEAR_LINE}${text}`);
    draw();
  };
  return {
    line,
    paragraph(prefix, text, style) {
      const indent = displayWidth(stripVTControlCharacters(prefix));
      const lines = wrapWords(text, Math.max(20, (out.columns || 80) - indent - 1));
      lines.forEach((each, at) => line((at === 0 ? prefix : ' '.repeat(indent)) + paint(style, each)));
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

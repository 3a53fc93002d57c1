// Markdown as far as it is shown: code in fences, headings, and text between them; JSON is code. Used by words.tsx.

export interface Part {
  kind: 'text' | 'code' | 'heading';
  text: string;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^#{1,6}\s+(.*)$/;

/** The parts of a text; a fence ends with one as long, of the same kind, or with the text. */
export function partsOf(text: string): Part[] {
  const json = indented(text);
  if (json !== undefined) return [{ kind: 'code', text: json }];
  const parts: Part[] = [];
  let fence: string | undefined;
  let lines: string[] = [];
  const flush = (kind: 'text' | 'code') => {
    const whole = kind === 'code' ? lines.join('\n') : lines.join('\n').trim();
    if (whole !== '') parts.push({ kind, text: whole });
    lines = [];
  };
  for (const line of text.split('\n')) {
    const mark = FENCE.exec(line)?.[1];
    if (fence === undefined && mark !== undefined) {
      flush('text');
      fence = mark;
    } else if (fence !== undefined && mark?.startsWith(fence) === true && line.trim() === mark) {
      flush('code');
      fence = undefined;
    } else {
      const heading = fence === undefined ? HEADING.exec(line)?.[1] : undefined;
      if (heading === undefined) lines.push(line);
      else {
        flush('text');
        parts.push({ kind: 'heading', text: heading });
      }
    }
  }
  flush(fence === undefined ? 'text' : 'code');
  return parts;
}

/** An answer that was asked for in JSON, as people read it; nothing where the text is none. */
function indented(text: string): string | undefined {
  if (!/^[{[]/.test(text)) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

// How the demo says what it does: on stdout for people, on stderr when stdout belongs to --json.
import { duration, elapsed } from '../format.ts';
import { paint } from '../output.ts';
import { openScreen } from '../watch/screen.ts';

const LABEL_WIDTH = 10;

export interface Tell {
  fact(label: string, text: string): void;
  note(text: string): void;
  blank(): void;
  /** Shows that something goes on, and at the end what came of it. */
  step<T>(
    label: string,
    doing: string,
    work: (progress: (text: string) => void) => Promise<T>,
    done: (result: T) => string,
  ): Promise<T>;
}

/** The demo's voice. */
export function teller(args: { json: boolean }): Tell {
  const out = args.json ? process.stderr : process.stdout;
  const labelled = (label: string) => `${paint('dim', label.padEnd(LABEL_WIDTH))} `;
  const fact = (label: string, text: string) => {
    const screen = openScreen(out);
    screen.paragraph(labelled(label), text);
    screen.close();
  };
  return {
    fact,
    note: (text) => fact('', text),
    blank: () => void (args.json || out.write('\n')),
    async step(label, doing, work, done) {
      const screen = openScreen(out);
      const begun = Date.now();
      let now = doing;
      screen.status(() => `${label}: ${now} ${elapsed(Date.now() - begun)}`);
      try {
        const result = await work((text) => (now = text));
        screen.close();
        out.write(`${labelled(label)}${done(result)} ${paint('dim', duration(Date.now() - begun))}\n`);
        return result;
      } finally {
        screen.close();
      }
    },
  };
}

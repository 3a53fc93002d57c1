// How long ago something was, in few letters; the whole time on hover.

const STEPS: [seconds: number, letter: string][] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
];

/** A time as `3 m`, `2 h`, `5 d`. */
export function Ago({ at }: { at: string }) {
  const seconds = Math.max(0, (Date.now() - Date.parse(at)) / 1000);
  const [length, letter] = STEPS.find(([each]) => seconds >= each) ?? [1, 's'];
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()}>
      {Math.floor(seconds / length)} {letter}
    </time>
  );
}

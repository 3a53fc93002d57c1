// How much of something is used, as a bar with its words.

interface MeterProps {
  label: string;
  value: number;
  most: number;
  text: string;
  /** All of it is no trouble. */
  plain?: boolean;
}

/** Turns to a warning near its end; the words tell it too. */
export function Meter({ label, value, most, text, plain = false }: MeterProps) {
  const part = most > 0 ? Math.min(1, value / most) : value > 0 ? 1 : 0;
  const tone = plain || part < 0.8 ? 'fill-accent' : part < 1 ? 'fill-warn' : 'fill-bad';
  return (
    <span className="block min-w-24">
      <span className="text-sm whitespace-nowrap">{text}</span>
      <svg
        role="img"
        aria-label={`${label}: ${text}`}
        viewBox="0 0 100 4"
        preserveAspectRatio="none"
        className="block h-1.5 w-full overflow-hidden rounded-full"
      >
        <rect width="100" height="4" className="fill-sunken" />
        <rect width={part * 100} height="4" className={tone} />
      </svg>
    </span>
  );
}

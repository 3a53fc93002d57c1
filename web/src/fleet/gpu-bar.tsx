// The memory of a GPU as one bar: each model on it, what others have taken, what is free.
import type { Gpu, LocalModelStatus } from '../../../protocol/local-model.ts';
import { gib } from './sizes.ts';

const FILLS = ['fill-accent', 'fill-info', 'fill-review', 'fill-good'];

interface Piece {
  name: string;
  mib: number;
  fill: string;
}

/** The bar with its words. */
export function GpuBar({ gpu, models }: { gpu: Gpu; models: LocalModelStatus[] }) {
  const pieces = piecesOf(gpu, models);
  const words = pieces.map(({ name, mib }) => `${name} ${gib(mib)}`).join(', ');
  let at = 0;
  return (
    <div>
      <svg
        role="img"
        aria-label={`Memory of GPU ${gpu.index}: ${words}`}
        viewBox="0 0 1000 10"
        preserveAspectRatio="none"
        className="block h-4 w-full overflow-hidden rounded-sm"
      >
        {pieces.map(({ name, mib, fill }) => {
          const x = (at / Math.max(gpu.totalMib, 1)) * 1000;
          at += mib;
          return (
            <rect
              key={name}
              x={x}
              width={(mib / Math.max(gpu.totalMib, 1)) * 1000}
              height="10"
              className={fill}
            />
          );
        })}
      </svg>
      <p className="mt-1 text-sm text-muted">
        {words} of {gib(gpu.totalMib)}
      </p>
    </div>
  );
}

function piecesOf(gpu: Gpu, models: LocalModelStatus[]): Piece[] {
  const on = models.filter(({ gpus, state }) => gpus.includes(gpu.index) && state !== 'unloaded');
  const own = on.map((model, index) => ({
    name: `${model.name} (${model.state})`,
    mib: model.measuredMib ?? model.reportedMib ?? model.predictedMib ?? 0,
    fill: FILLS[index % FILLS.length]!,
  }));
  const foreign = gpu.foreignMib ?? 0;
  const taken = own.reduce((sum, { mib }) => sum + mib, foreign);
  return [
    ...own,
    ...(foreign > 0 ? [{ name: 'other programs', mib: foreign, fill: 'fill-warn' }] : []),
    { name: 'free', mib: Math.max(0, gpu.totalMib - taken), fill: 'fill-sunken' },
  ];
}

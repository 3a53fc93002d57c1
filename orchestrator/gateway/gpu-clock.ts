// How long the GPUs of an engine were busy for each call: its busy time is divided among the calls that run at a time, so
// that their shares sum up to it exactly. Used by paying.ts for engines whose GPUs are paid by the second.
import { performance } from 'node:perf_hooks';

export interface GpuClock {
  /** A call begins; the answer ends it and tells its share, in milliseconds of one GPU. */
  begin(): () => number;
  /** Busy time since the start, in milliseconds of one GPU. */
  busy(): number;
}

/** A clock for an engine with so many GPUs. Shares are whole microseconds inside, so that nothing is lost in rounding. */
export function gpuClock(gpus: number, now = () => Math.round(performance.now() * 1000)): GpuClock {
  const running = new Set<{ share: number }>();
  let since = now();
  let busy = 0;
  let rest = 0; // microseconds that could not be divided evenly yet

  const divide = () => {
    const at = now();
    const passed = (at - since) * gpus;
    since = at;
    if (running.size === 0) return;
    busy += passed;
    const each = Math.floor((passed + rest) / running.size);
    rest = passed + rest - each * running.size;
    for (const call of running) call.share += each;
  };
  return {
    begin() {
      divide();
      const call = { share: 0 };
      running.add(call);
      return () => {
        divide();
        if (!running.delete(call)) return 0;
        if (running.size === 0) {
          call.share += rest;
          rest = 0;
        }
        return call.share / 1000;
      };
    },
    busy: () => {
      divide();
      return busy / 1000;
    },
  };
}

// Does what a button is for, says how it went, and asks anew for what it changed.
import { toast, toastProblem } from '../ui/toasts.tsx';
import { queries } from './queries.ts';

/** `told` says what was done, by the answer; `key` is the first part of the keys of what is asked for anew. */
export async function act<T>(
  key: string,
  work: () => Promise<T>,
  told: (answer: T) => string,
): Promise<void> {
  try {
    toast(told(await work()));
  } catch (error) {
    toastProblem(error);
  }
  await queries.invalidateQueries({ queryKey: [key] });
}

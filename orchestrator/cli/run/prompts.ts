// `autocode run prompts`.
import { stringify } from 'yaml';
import { z } from 'zod';
import { KeptPrompt, ModelCall } from '../../../protocol/model.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { currencyOf } from '../money/currency.ts';
import { print, printJson } from '../output.ts';
import { drawCalls } from './calls.ts';

/** Lists the calls of a run whose prompts are kept, or shows one of them. */
export async function showPrompts(
  args: GlobalArgs & { run: string; call: number | undefined },
): Promise<void> {
  const client = connect(args);
  const route = `/runs/${encodeURIComponent(args.run)}/prompts`;
  if (args.call === undefined) {
    const calls = await client.get(route, z.array(ModelCall));
    if (args.json) return printJson(calls);
    return print(
      calls.length === 0
        ? `No prompts of run ${args.run} are kept.`
        : drawCalls(calls, await currencyOf(client)),
    );
  }
  const prompt = await client.get(`${route}/${args.call}`, KeptPrompt);
  if (args.json) return printJson(prompt);
  print(stringify(prompt, { lineWidth: 0 }).trimEnd());
}

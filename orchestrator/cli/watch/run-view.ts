// A run as people watch it: a tick and a time for each step, what the agent says and does, the output of a verify that failed.
// Used by the watch of tasks and by the demo.
import type { RunEvent } from '../../../protocol/log.ts';
import { count, elapsed, oneLine } from '../format.ts';
import { paint } from '../output.ts';
import type { Screen } from './screen.ts';
import { block, stepTitle, took, toolTitle } from './run-lines.ts';

const TAIL_LINES = 12;
const MESSAGE_LINES = 8;
const STACK_FRAME = /^\s+at \S/;

export interface RunView {
  show(event: RunEvent): void;
}

/** Shows the events of one run on a screen. */
export function viewRun(screen: Screen, options: { verbose: boolean }): RunView {
  const state = {
    step: '',
    planning: false,
    startedAt: 0,
    since: Date.now(),
    doing: '',
    tail: [] as string[],
    tokens: 0,
    told: new Set<string>(),
  };

  const status = () => {
    const doing = state.doing === '' ? '' : ` · ${state.doing}`;
    const tokens = state.tokens === 0 ? '' : ` · ${count(state.tokens)} tokens`;
    return `${state.step} ${elapsed(Date.now() - state.since)}${tokens}${doing}`;
  };
  const indented = (lines: string[], style: 'dim' | 'yellow' | 'red' | undefined) => {
    for (const line of lines) screen.paragraph('    ', line, style);
  };

  function step(event: Extract<RunEvent, { type: 'step' }>): void {
    if (event.status === 'started') {
      Object.assign(state, {
        step: stepTitle(event),
        planning: event.step === 'plan',
        startedAt: event.t,
        since: Date.now(),
        doing: '',
        tail: [],
      });
      return screen.status(status);
    }
    const mark = event.status === 'ended' ? paint('green', '✓') : paint('red', '✗');
    const detail = event.detail === undefined ? '' : ` – ${oneLine(event.detail)}`;
    screen.line(`  ${mark} ${stepTitle(event)}${detail}${took(state.startedAt || undefined, event.t)}`);
    if (event.status === 'failed') indented(state.tail, 'dim');
    screen.status(null);
    Object.assign(state, { step: '', planning: false, doing: '', tail: [] });
  }

  function tool(event: Extract<RunEvent, { type: 'tool_call' }>): void {
    state.doing = toolTitle(event);
    if (!['completed', 'failed'].includes(event.status) || state.told.has(event.id)) return;
    state.told.add(event.id);
    screen.paragraph(
      `    ${event.status === 'failed' ? paint('red', '✗') : paint('cyan', '→')} `,
      toolTitle(event),
    );
  }

  function message(event: Extract<RunEvent, { type: 'message' }>): void {
    if (event.role === 'person') return; // told by the task's events, as soon as it is sent
    // The plan comes as an event of its own, read from this answer.
    if ((event.role !== 'agent' || state.planning) && !options.verbose)
      return void (state.doing = event.role === 'thought' ? 'thinking' : state.doing);
    const lines = block(event.text);
    const shown = options.verbose ? lines : lines.slice(0, MESSAGE_LINES);
    for (const line of shown) screen.paragraph(`    ${paint('dim', '│')} `, line);
    if (lines.length > shown.length)
      screen.line(paint('dim', `    │ … ${lines.length - shown.length} more lines`));
  }

  return {
    show(event) {
      if (event.type === 'step') step(event);
      else if (event.type === 'tool_call') tool(event);
      else if (event.type === 'message') message(event);
      else if (event.type === 'file_change')
        screen.line(`    ${paint('cyan', event.change)} ${oneLine(event.path)}`);
      else if (event.type === 'usage') state.tokens += event.inputTokens + event.outputTokens;
      else if (event.type === 'notice') indented(block(event.text), 'yellow');
      else if (event.type === 'error') indented(block(event.message), 'red');
      else {
        // Frames of a stack push out of the tail what went wrong.
        state.tail = [...state.tail, ...block(event.text).filter((line) => !STACK_FRAME.test(line))].slice(
          -TAIL_LINES,
        );
        state.doing = oneLine(state.tail.at(-1) ?? '');
        if (options.verbose) indented(block(event.text), 'dim');
      }
    },
  };
}

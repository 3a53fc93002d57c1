// What a program in a sandbox costs before it begins, beside the same program in a bare bwrap, or runsc.
import { report } from './report.ts';
import { middle } from './support/measure.ts';
import { gvisorGoals, openSandboxStarts } from './support/sandbox-starts.ts';

const TIMES = 60;

const bare: number[] = [];
const plain: number[] = [];
const withGateway: number[] = [];
const tests: number[] = [];
const starts = await openSandboxStarts();
try {
  for (let index = 0; index < TIMES; index++) {
    bare.push(await starts.bare());
    plain.push(await starts.own(false));
    withGateway.push(await starts.own(true));
    if (index % 6 === 0) tests.push(await starts.selfTest());
  }
} finally {
  await starts.close();
}
const ms = (times: number[]) => `${middle(times).toFixed(1)} ms`;
console.error(
  `bare: ${ms(bare)}; a verify command: ${ms(plain)}; an agent, with the way to the gateway: ${ms(withGateway)}; medians of ${TIMES}, taken in turns`,
);
report('sandbox', [
  {
    name: 'start of a verify command, beyond a bare bwrap',
    value: middle(plain) - middle(bare),
    unit: 'ms',
    atMost: 20,
  },
  {
    name: 'start of an agent, with the way to the gateway, beyond a bare bwrap',
    value: middle(withGateway) - middle(bare),
    unit: 'ms',
    atMost: 20,
  },
  { name: 'quick self-test', value: middle(tests), unit: 'ms', atMost: 50 },
  ...(await gvisorGoals()),
]);

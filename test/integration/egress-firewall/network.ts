// Three network namespaces in a row: a worker, the appliance as its only gateway, and the internet. Their names are random; what runs in
// them ends with them.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { until } from '../../support/egress-rig.ts';

export const WORKER = '10.78.1.2';
export const APPLIANCE = '10.78.1.1';
/** Public addresses, as the policy has it; they are nobody's but in here. */
export const APPLIANCE_OUTSIDE = '11.22.33.1';
export const OUTSIDE = '11.22.33.44';
export const OUTSIDE_V6 = '2620:0:33::44';
export const METADATA = '169.254.169.254';

type Place = 'worker' | 'appliance' | 'internet';

export interface Result {
  code: number;
  output: string;
  errors: string;
}

/** What the internet was asked. */
export interface Seen {
  at: 'web' | 'tcp' | 'udp' | 'dns' | 'ready';
  from: string;
  to?: string;
  url?: string;
  asked?: string;
  headers?: Record<string, string>;
}

const run = promisify(execFile);
const LONGEST_MS = 120_000;

/** Makes them. `names` is what the appliance's own resolver says, as lines of a hosts file. */
export async function openNetwork(names: string) {
  const unique = randomBytes(4).toString('hex');
  const nameOf = (place: Place) => `autocode-${unique}-${place}`;
  const children = new Set<ChildProcess>();
  const etc = (place: Place) => path.join('/etc/netns', nameOf(place));
  const places: Place[] = ['worker', 'appliance', 'internet'];

  function start(place: Place, words: string[], env: Record<string, string> = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', nameOf(place), ...words], {
      env: { PATH: process.env.PATH, ...env }, // what this machine has set for its own way out is not for here
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  }

  async function close(): Promise<void> {
    for (const child of children) child.kill('SIGKILL');
    for (const place of places) {
      const { stdout } = await run('ip', ['netns', 'pids', nameOf(place)]).catch(() => ({ stdout: '' }));
      for (const pid of stdout.split('\n').filter((line) => line !== '')) {
        try {
          process.kill(Number(pid), 'SIGKILL');
        } catch {} // gone meanwhile
      }
      await run('ip', ['netns', 'delete', nameOf(place)]).catch(() => {}); // was never made
      rmSync(etc(place), { recursive: true, force: true });
    }
  }

  try {
    for (const place of places) {
      mkdirSync(etc(place), { recursive: true });
      await run('ip', ['netns', 'add', nameOf(place)]);
    }
    writeFileSync(path.join(etc('worker'), 'hosts'), '127.0.0.1 localhost\n');
    writeFileSync(path.join(etc('worker'), 'resolv.conf'), `nameserver ${APPLIANCE}\n`);
    writeFileSync(path.join(etc('appliance'), 'hosts'), `127.0.0.1 localhost\n${names}`);
    const resolver = `nameserver ${OUTSIDE}\noptions timeout:2 attempts:1\n`;
    writeFileSync(path.join(etc('appliance'), 'resolv.conf'), resolver);
    const [worker, appliance, internet] = places.map(nameOf);
    const script = `set -e
      for each in ${worker} ${appliance} ${internet}; do ip -n $each link set lo up; done
      ip -n ${appliance} link add wk0 type veth peer name eth0 netns ${worker}
      ip -n ${appliance} link add out0 type veth peer name eth0 netns ${internet}
      ip -n ${worker} addr add ${WORKER}/24 dev eth0
      ip -n ${worker} -6 addr add fd78::2/64 dev eth0 nodad
      ip -n ${worker} link set eth0 up
      ip -n ${appliance} addr add ${APPLIANCE}/24 dev wk0
      ip -n ${appliance} -6 addr add fd78::1/64 dev wk0 nodad
      ip -n ${appliance} link set wk0 up
      ip -n ${appliance} addr add ${APPLIANCE_OUTSIDE}/24 dev out0
      ip -n ${appliance} -6 addr add 2620:0:33::1/64 dev out0 nodad
      ip -n ${appliance} link set out0 up
      ip -n ${internet} addr add ${OUTSIDE}/24 dev eth0
      ip -n ${internet} addr add 11.22.33.45/24 dev eth0
      ip -n ${internet} addr add ${METADATA}/32 dev eth0
      ip -n ${internet} -6 addr add ${OUTSIDE_V6}/64 dev eth0 nodad
      ip -n ${internet} link set eth0 up
      ip -n ${worker} route add default via ${APPLIANCE}
      ip -n ${worker} -6 route add default via fd78::1
      ip -n ${appliance} route add default via ${OUTSIDE}
      ip -n ${internet} route add default via ${APPLIANCE_OUTSIDE}
      ip -n ${internet} -6 route add default via 2620:0:33::1
      ip netns exec ${appliance} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`;
    await run('bash', ['-c', script]);
  } catch (error) {
    await close();
    throw error;
  }

  const seen: Seen[] = [];
  let marks = 0;

  /** A shell command at a place, to its end. */
  async function at(place: Place, command: string, env: Record<string, string> = {}): Promise<Result> {
    const child = start(place, ['bash', '-c', command], env);
    const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
    const result = { code: -1, output: '', errors: '' };
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (result.output += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (result.errors += text));
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(timer);
    return { ...result, code: code ?? -1 };
  }

  /** Where what the internet has been asked so far ends. What came before has been read by then. */
  async function mark(): Promise<number> {
    const url = `/mark-${++marks}`;
    await at('internet', `curl -s http://127.0.0.1/mark-first http://127.0.0.1${url}`);
    return 1 + (await until('the mark', () => positive(seen.findIndex((each) => each.url === url))));
  }

  return {
    start,
    close,
    at,
    mark,
    /** What the internet was asked since a mark. */
    async since(marked: number): Promise<Seen[]> {
      return seen.slice(marked, await mark()).filter(({ url }) => url?.startsWith('/mark-') !== true);
    },
    /** Another answer of the appliance's own resolver from now on. */
    setNames(lines: string) {
      writeFileSync(path.join(etc('appliance'), 'hosts'), `127.0.0.1 localhost\n${lines}`);
    },
    /** Opens the servers of the internet. */
    async openInternet(settings: string) {
      const program = path.join(import.meta.dirname, 'outside.ts');
      const child = start('internet', [process.execPath, program, settings]);
      child.stderr!.on('data', (text: Buffer) => process.stderr.write(text));
      createInterface({ input: child.stdout! }).on('line', (line) => seen.push(JSON.parse(line) as Seen));
      await until('the internet', () => seen.some(({ at }) => at === 'ready'));
    },
  };
}

function positive(index: number): number | undefined {
  return index < 0 ? undefined : index;
}

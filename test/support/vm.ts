// What stands for a VM in tests: a network namespace on a bridge, with processes, mounts and a host name of its own. When its
// first process ends, so does everything on it. Used by nomad.ts; needs root.
import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFile, realpath } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
// As on a LAN; left out where the kernel has no network emulation.
const LAN = ['netem', 'delay', '200us', 'rate', '1gbit'];

export interface Vm {
  name: string;
  address: string;
  /** Its first process, as seen from here. */
  pid: number;
  /** Starts a program there; to be ended by `signal`, as the child here is not the program. */
  spawn(program: string, args: string[], options?: SpawnOptions): ChildProcess;
  /** Sends a signal to a program that was started there. */
  signal(child: ChildProcess, signal: NodeJS.Signals): Promise<void>;
  /** Pulls its network cable, and plugs it in again. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** Ends it with all that runs on it. */
  end(): Promise<void>;
}

interface VmOptions {
  name: string;
  bridge: string;
  /** Name of its cable at the bridge: 15 characters at most. */
  link: string;
  address: string;
  /** Address of this machine on the bridge. */
  gateway: string;
}

// Of the first version alone: Nomad has one place there for all that it does on a machine.
const CONTROLLERS = `
controllers() { while read -r _ place type options _; do [[ $type != cgroup ]] || echo "$place" "$options"; done < /proc/mounts; }
`;
const BEFORE = `${CONTROLLERS}
while read -r place _; do
  mkdir "$place/$0"
  for file in cpus mems; do
    [[ ! -e $place/cpuset.$file ]] || cat "$place/cpuset.$file" > "$place/$0/cpuset.$file"
  done
  echo $$ > "$place/$0/cgroup.procs"
done < <(controllers)
exec unshare --net --pid --mount --uts --cgroup --mount-proc --kill-child bash -c "$1" "$0"
`;
const FIRST = `${CONTROLLERS}
hostname "$0"
ip link set lo up
mapfile -t all < <(controllers)
for one in "\${all[@]}"; do
  umount "\${one% *}"
  options=\${one##* }
  mount -t cgroup -o "\${options#*relatime,}" none "\${one% *}"
done
echo ready
sleep infinity &
while :; do wait; done # reaps what others leave
`;
const JOIN = `
for tasks in /sys/fs/cgroup/*/tasks; do [[ ! -e $tasks ]] || echo 0 > "\${tasks%tasks}cgroup.procs"; done
exec "$0" "$@"
`;

/** Starts one, with its cable plugged in. It ends with this process, however that ends. */
export async function startVm({ name, bridge, link, address, gateway }: VmOptions): Promise<Vm> {
  const first = spawn('setpriv', ['--pdeathsig', 'KILL', 'bash', '-ec', BEFORE, name, FIRST], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(first, 'exit').then(() => Promise.reject(new Error(`${name} did not start`)));
  await Promise.race([once(first.stdout, 'data'), ended]);
  ended.catch(() => {}); // later it may
  first.stdout.destroy();
  const pid = await childOf(first);
  const inside = (program: string, ...args: string[]) => [
    '-t',
    String(pid),
    '-n',
    '-m',
    '-p',
    '-u',
    '-C',
    program,
    ...args,
  ];
  await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)]);
  await run('ip', ['link', 'set', link, 'master', bridge, 'up']);
  const commands = `ip addr add ${address}/24 dev eth0; ip link set eth0 up; ip route add default via ${gateway}`;
  await run('nsenter', inside('bash', '-ec', commands));
  await run('nsenter', inside('tc', 'qdisc', 'add', 'dev', 'eth0', 'root', ...LAN)).catch(() => {});
  return {
    name,
    address,
    pid,
    spawn: (program, args, options = {}) =>
      spawn('nsenter', inside('bash', '-c', JOIN, program, ...args), { env: { PATH }, ...options }),
    async signal(child, signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      process.kill(await childOf(child), signal);
      if (signal === 'SIGKILL') await exited;
    },
    cut: async () => void (await run('ip', ['link', 'set', link, 'down'])),
    mend: async () => void (await run('ip', ['link', 'set', link, 'up'])),
    async end() {
      if (first.exitCode !== null || first.signalCode !== null) return;
      const exited = once(first, 'exit');
      first.kill('SIGKILL');
      await exited;
      for (const deadline = Date.now() + 30_000; await exists(pid); await delay(10))
        if (Date.now() > deadline) throw new Error(`${name} did not end`);
      await run('ip', ['link', 'del', link]).catch(() => {}); // gone already, where the kernel was quick
    },
  };
}

/** What a root directory needs for programs to run in it: files of this machine and where each is there. */
export async function chrootFor(programs: string[]): Promise<[file: string, inside: string][]> {
  const files = new Map<string, string>();
  for (const program of programs) {
    const path = (await run('bash', ['-c', 'type -P "$0"', program])).stdout.trim();
    const file = await realpath(path);
    files.set(`/bin/${program}`, file).set(`/usr/bin/${program}`, file);
    const { stdout } = await run('ldd', [file]).catch(() => ({ stdout: '' }));
    for (const [library] of stdout.matchAll(/\/\S+/g)) files.set(library, await realpath(library));
  }
  return Array.from(files, ([inside, file]) => [file, inside]);
}

async function childOf(parent: ChildProcess): Promise<number> {
  for (const deadline = Date.now() + 30_000; ; await delay(5)) {
    const path = `/proc/${parent.pid}/task/${parent.pid}/children`;
    const [child] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ');
    if (child !== undefined && child !== '') return Number(child);
    if (Date.now() > deadline || parent.exitCode !== null)
      throw new Error(`process ${parent.pid} has no child`);
  }
}

async function exists(pid: number): Promise<boolean> {
  return await readFile(`/proc/${pid}/stat`).then(
    () => true,
    () => false,
  );
}

// A real Elasticsearch for one test file: `await using search = await startElasticsearch()`. With the configuration that is shipped, in a
// directory of its own; without security, which is not to be had (scripts/servers/elasticsearch/install).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CONFIGURATION = path.join(ROOT, 'elasticsearch/elasticsearch.yml');
const START_MS = 200_000;

export interface Elasticsearch {
  url: string;
  /** A call, as somebody with curl would make it; status and parsed body. */
  // The tests look into whatever came.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  call(method: string, path: string, body?: object): Promise<{ status: number; body: any }>;
  start(): Promise<void>;
  /** Ends it as a power cut would; what it has stored stays. */
  kill(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where the server is installed; undefined where it is not. */
export function installation(): string | undefined {
  return globSync(path.join(ROOT, '.runtime/servers/elasticsearch-*/.stamp')).map((stamp) =>
    path.dirname(stamp),
  )[0];
}

/** Starts an empty server of one node. One that lives for longer than a test is to compile its code well. */
export async function startElasticsearch({ heapMb = 384, brief = true } = {}): Promise<Elasticsearch> {
  const program = installation();
  if (program === undefined)
    throw new Error('Elasticsearch is missing: ./scripts/servers/elasticsearch/install');
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-elasticsearch-'));
  mkdirSync(path.join(directory, 'config'));
  writeFileSync(path.join(directory, 'config/elasticsearch.yml'), configuration(directory));
  const door = await openDoor();
  let child: ChildProcess | undefined;

  const call: Elasticsearch['call'] = async (method, where, body) => {
    const answer = await request(`${door.url}${where}`, {
      method: method as 'GET',
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text.startsWith('{') ? JSON.parse(text) : text };
  };
  const kill = async () => {
    const ending = child;
    child = undefined;
    door.leadTo(undefined);
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    ending.kill('SIGKILL');
    await once(ending, 'exit');
  };
  const start = async () => {
    const output = path.join(directory, 'output');
    rmSync(output, { force: true });
    const log = openSync(output, 'a');
    const java = path.join(program, 'java/bin/java');
    const options = [...javaOptions(program, heapMb), ...(brief ? ['-XX:TieredStopAtLevel=1'] : [])];
    const started = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', java, ...options, 'Server', program, directory],
      { stdio: ['ignore', log, log], env: { HOME: directory } },
    );
    closeSync(log);
    child = started;
    for (const giveUp = performance.now() + START_MS; ; await delay(50)) {
      const [, port] = /^LISTENING (\d+)$/m.exec(readFileSync(output, 'utf8')) ?? [];
      door.leadTo(port === undefined ? undefined : Number(port));
      const health = port && (await call('GET', '/_cluster/health').catch(() => undefined));
      if (health && health.status === 200 && health.body.status !== 'red') return;
      if (started.exitCode !== null || performance.now() > giveUp)
        throw new Error(`Elasticsearch did not start: ${readFileSync(output, 'utf8').slice(-2000)}`);
    }
  };
  const dispose = async () => {
    await kill();
    door.close();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return { url: door.url, call, start, kill, [Symbol.asyncDispose]: dispose };
}

/** A port that stays when the server behind it is another one, on a port of its own; while there is none, connections end at once. */
async function openDoor() {
  let port: number | undefined;
  const open = new Set<net.Socket>();
  const server = net.createServer((outer) => {
    open.add(outer.on('close', () => open.delete(outer)).on('error', () => {}));
    if (port === undefined) return outer.destroy();
    const inner = net.connect(port, '127.0.0.1').on('error', () => outer.destroy());
    outer.on('close', () => inner.destroy());
    inner.on('close', () => outer.destroy());
    return outer.pipe(inner).pipe(outer);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    leadTo(next: number | undefined) {
      port = next;
    },
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function javaOptions(program: string, heapMb: number): string[] {
  return [
    `-Xms${heapMb}m`,
    `-Xmx${heapMb}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1', // it lives for seconds
    '-XX:-UsePerfData',
    '-Dlog4j2.disable.jmx=true',
    `-Des.nativelibs.path=${path.join(program, 'native')}`,
    '--enable-native-access=ALL-UNNAMED',
    '--add-modules=jdk.incubator.vector',
    '--add-opens=java.base/java.io=ALL-UNNAMED',
    '-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false',
    '-Dio.netty.noUnsafe=true',
    '-cp',
    `${path.join(program, 'classes')}:${path.join(program, 'lib/*')}`,
  ];
}

/** The configuration that is shipped, in this directory, with its switch for security turned off. */
function configuration(directory: string): string {
  return readFileSync(CONFIGURATION, 'utf8')
    .replace(`, '@WORKERS@'`, '')
    .replaceAll('/mnt/data/autocode/elasticsearch', directory)
    .replace('http.port: 9200', 'http.port: 0')
    .replace('transport.port: 9300', 'transport.port: 0')
    .replace('security.enabled: true', 'security.enabled: false')
    .concat('cluster.routing.allocation.disk.threshold_enabled: false\n') // however full the disk of the test is
    .replace(/^xpack\.(monitoring|security\.http\.ssl\.(certificate|key)).*$/gm, ''); // of modules that are not published
}

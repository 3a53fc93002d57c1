// The client of Nomad and the deployment of workers against a real cluster: a server and two clients, with ACLs and TLS. The
// task of these jobs is a shell: the claimer itself has a test of its own.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { DeploymentRequest, type Rollout } from '../../protocol/fleet.ts';
import { verifyToken } from '../../orchestrator/access/tokens.ts';
import { loadConfig } from '../../orchestrator/config/load.ts';
import type { NomadSettings } from '../../orchestrator/config/nomad-settings.ts';
import { nomadClient, type FleetChange, type NomadClient } from '../../orchestrator/nomad/client.ts';
import { allocationDetails, deployedJobs } from '../../orchestrator/nomad/deployed.ts';
import { deploy, planDeployment, type DeployParts } from '../../orchestrator/nomad/deploy.ts';
import { rolloutOf, shownAllocation } from '../../orchestrator/nomad/rollout.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { startNomad, type Cluster } from '../support/nomad.ts';

const WAIT_MS = 90_000;

// `broken` comes up and ends; its mistake is one of the task, not of the placement.
const JOB = `
variable "job" {
  type = string
}
variable "count" {
  type = number
}
variable "agent" {
  type = string
}
variable "memory" {
  type = number
}
job "shell" {
  datacenters = ["dc1"]
  meta {
    agent = var.agent
  }
  update {
    max_parallel      = 1
    health_check      = "task_states"
    min_healthy_time  = "500ms"
    healthy_deadline  = "20s"
    progress_deadline = "40s"
    auto_revert       = true
  }
  group "agent" {
    count = var.count
    constraint {
      operator = "distinct_hosts"
      value    = "true"
    }
    restart {
      attempts = 0
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }
    task "claimer" {
      driver = "exec"
      user   = "nobody"
      config {
        command = "/bin/bash"
        args    = ["-c", "echo offers $NOMAD_META_agent; cat $NOMAD_SECRETS_DIR/token; echo; [[ $NOMAD_META_agent != codex ]] || exit 1; sleep 600"]
      }
      template {
        destination = "\${NOMAD_SECRETS_DIR}/token"
        data        = "{{ with nomadVar \\"nomad/jobs/\${var.job}\\" }}{{ .token }}{{ end }}"
        perms       = "0444"
        change_mode = "noop"
      }
      kill_timeout = "1s"
      resources {
        cpu    = 100
        memory = var.memory
      }
    }
  }
}
`;

describe('workers in Nomad', () => {
  let cluster: Cluster;
  let db: TestDatabase;
  let directory: string;
  let nomad: NomadClient;
  let parts: DeployParts;
  const ask = (request: object) => DeploymentRequest.parse(request);
  const settingsWith = (set: string[]) =>
    loadConfig({ env: {}, set: [`nomad.address=${cluster.address}`, ...set], cwd: directory }).config
      .nomad as NomadSettings;

  before(async () => {
    [cluster, db, directory] = await Promise.all([
      startNomad({ clients: 2, memoryMib: 2048 }),
      testDatabase(),
      mkdtemp(join(tmpdir(), 'autocode-nomad-test-')),
    ]);
    const rules = await readFile(join(import.meta.dirname, '../../nomad/policy.hcl'), 'utf8');
    const own = rules.replace('nomad/jobs/autocode-worker', 'nomad/jobs/shell');
    await cluster.call('POST', 'acl/policy/autocode', { Name: 'autocode', Rules: own });
    const token = { Type: 'client', Policies: ['autocode'] };
    const { SecretID: secret } = await cluster.call('POST', 'acl/token', token);
    nomad = clientWith(async () => secret);
    const file = join(directory, 'shell.nomad.hcl');
    await writeFile(file, JOB);
    parts = {
      db: db.pool,
      nomad,
      settings: settingsWith(['nomad.job=shell', 'nomad.worker.memoryMib=64', 'nomad.worker.cores=1']),
      url: 'https://10.0.0.5:7443',
      authority: null,
      version: '1.0.0',
      agents: new Set(['codex', 'command']),
      files: { service: file },
    };
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await db?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  function clientWith(token: () => Promise<string>): NomadClient {
    const { address, caFile } = cluster;
    return nomadClient({ address, caFile, namespace: 'default', token });
  }

  async function ended(evaluation: string | null): Promise<Rollout> {
    for (const deadline = Date.now() + WAIT_MS; ; await delay(200)) {
      const rollout = await rolloutOf(nomad, evaluation!);
      if (!['pending', 'running', 'reverting'].includes(rollout.state)) return rollout;
      if (Date.now() > deadline) assert.fail(`the deployment has not ended: ${JSON.stringify(rollout)}`);
    }
  }

  async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
    for (const deadline = Date.now() + WAIT_MS; ; await delay(100)) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (Date.now() > deadline) assert.fail(`${what} did not come`);
    }
  }

  it('a job file that is wrong is told by file, line and column', async () => {
    const wrong = JOB.replace('count = var.count', 'coutn = var.count');
    await assert.rejects(
      nomad.parse('jobs/shell.hcl', wrong, { job: 'x', count: 1, agent: '', memory: 64 }),
      {
        code: 'ERR_NOMAD_JOB',
        message: /jobs\/shell\.hcl:\d+:5: Unsupported argument; .*"coutn"/,
      },
    );
  });

  it('a token that is not known, and one that may not, are told with what to do; neither is in an error', async () => {
    const stranger = '11111111-2222-3333-4444-555555555555';
    await assert.rejects(clientWith(async () => stranger).nodes(), (error: Error) => {
      assert.equal((error as Error & { code: string }).code, 'ERR_NOMAD_DENIED');
      assert.match(error.message, /does not know the token/);
      return !JSON.stringify(error, Object.getOwnPropertyNames(error)).includes(stranger);
    });
    await cluster.call('POST', 'acl/policy/reader', {
      Name: 'reader',
      Rules: 'namespace "default" { policy = "read" }',
    });
    const { SecretID: reader } = await cluster.call('POST', 'acl/token', {
      Type: 'client',
      Policies: ['reader'],
    });
    const own = clientWith(async () => reader);
    assert.deepEqual(await own.allocations(), []);
    await assert.rejects(own.nodes(), { code: 'ERR_NOMAD_DENIED', remedy: /node:read/ });
    await assert.rejects(own.stopJob('shell'), { code: 'ERR_NOMAD_DENIED', remedy: /submit-job/ });
  });

  it('Nomad that is away, or of an authority that is not trusted, is told with what to do', async () => {
    const token = async () => cluster.token;
    const away = nomadClient({ address: 'http://127.0.0.1:9', namespace: 'default', token });
    await assert.rejects(away.stopJob('x'), { code: 'ERR_NOMAD_UNAVAILABLE', remedy: /nomad\.address/ });
    const untrusted = nomadClient({ address: cluster.address, namespace: 'default', token });
    await assert.rejects(untrusted.stopJob('x'), (error: Error & { remedy?: string; cause?: unknown }) => {
      assert.match(error.remedy ?? '', /nomad\.caFile/);
      return !JSON.stringify(error.cause, Object.getOwnPropertyNames(error.cause)).includes(cluster.token);
    });
    const plain = nomadClient({
      address: cluster.address.replace('https', 'http'),
      namespace: 'default',
      token,
    });
    await assert.rejects(plain.stopJob('x'), { code: 'ERR_NOMAD_UNAVAILABLE', remedy: /https/ });
  });

  it('the shipped jobs plan; where the VMs are not prepared it says what they lack', async () => {
    const shipped = {
      ...parts,
      files: {},
      settings: settingsWith(['nomad.worker.cores=1', 'nomad.worker.memoryMib=512']),
    };
    const service = await planDeployment(shipped, ask({ count: 2, agent: 'codex', dailyBudget: 12.5 }));
    assert.match(
      service.shortage.join(),
      /of 2 nodes the host volumes autocode and autocode-runner are missing on 2/,
    );
    const run = await planDeployment(shipped, ask({ mode: 'dispatch' }));
    assert.deepEqual([run.job, run.shortage.length], ['autocode-run', 1]);
    await assert.rejects(planDeployment(shipped, ask({ mode: 'dispatch', count: 2 })), {
      code: 'ERR_INVALID_INPUT',
    });
  });

  it('an unknown agent is refused before anything is submitted', async () => {
    await assert.rejects(deploy(parts, ask({ agent: 'nobody' })), {
      code: 'ERR_AGENT_UNKNOWN',
      remedy: /codex, command/,
    });
    assert.equal(await nomad.job('shell'), undefined);
  });

  it('what there is no room for is refused, and says which dimension lacks on how many nodes', async () => {
    await assert.rejects(deploy(parts, ask({ count: 3 })), {
      code: 'ERR_NO_CAPACITY',
      message: /agent: 1 cannot be placed; of 2 nodes one is there already on 2/,
    });
    const large = { ...parts, settings: settingsWith(['nomad.job=shell', 'nomad.worker.memoryMib=4096']) };
    await assert.rejects(deploy(large, ask({ count: 1 })), {
      code: 'ERR_NO_CAPACITY',
      message: /memory is used up on 2/,
    });
    assert.equal(await nomad.job('shell'), undefined);
  });

  it('workers are deployed until they are healthy, with a token of their own; again there is nothing to change', async () => {
    const plan = await planDeployment(parts, ask({ count: 1, agent: 'command' }));
    assert.deepEqual(plan.changes, [{ kind: 'added', what: 'job shell', old: '', new: '1 × agent' }]);
    assert.deepEqual([plan.index, plan.effects], [0, ['agent: 1 will be placed']]);
    const { evaluation } = await deploy(parts, ask({ count: 1, agent: 'command', index: plan.index }));
    const outcome = await ended(evaluation);
    assert.deepEqual([outcome.state, outcome.healthy, outcome.desired], ['healthy', 1, 1]);
    const { items } = (await nomad.variable('nomad/jobs/shell'))!;
    assert.equal((await verifyToken(db.pool, items['token']!))?.role, 'worker');
    const [allocation] = outcome.allocations;
    let log = '';
    await until('the log', async () => {
      log = '';
      for await (const piece of nomad.logs(allocation!.id, { task: 'claimer', stream: 'stdout' }))
        log += String(piece);
      return log.includes('\n');
    });
    assert.match(log, /^offers command\nac_worker_/);

    const [job, ...others] = await deployedJobs(nomad, parts.settings);
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(job, { job: 'shell', mode: 'service', state: 'healthy', shortage: [] });
    assert.deepEqual([job!.desired, job!.placed, job!.healthy], [1, 1, 1]);
    const details = await allocationDetails(nomad, await nomad.allocation(allocation!.id));
    assert.deepEqual([details.memoryMib, details.events.at(-1)?.type], [64, 'Received']);
    assert.ok(details.events.some(({ type }) => type === 'Started'));
    assert.ok(details.usedMib === null || details.usedMib < 64); // not every machine measures
    assert.equal((await nomad.allocations())[0]!.memoryMib, 64);

    const again = await planDeployment(parts, ask({}));
    assert.deepEqual([again.changes, again.index > 0], [[], true]);
    assert.deepEqual(await deploy(parts, ask({})), { job: 'shell', evaluation: null });
    assert.equal((await nomad.variable('nomad/jobs/shell'))!.items['token'], items['token']);
  });

  it('a deployment whose plan is out of date is refused', async () => {
    await assert.rejects(deploy(parts, ask({ count: 2, index: 1 })), { code: 'ERR_CONFLICT' });
  });

  it('what was scaled meanwhile stays when another thing is deployed', async () => {
    await nomad.scale('shell', 'agent', 2);
    await until('the second', async () => {
      const allocations = await nomad.allocations('shell');
      return allocations.filter(({ status }) => status === 'running').length === 2;
    });
    const plan = await planDeployment(parts, ask({ agent: null }));
    assert.deepEqual(plan.changes, [{ kind: 'deleted', what: 'Meta[agent]', old: 'command', new: '' }]);
  });

  it('a version that does not come up is taken back, VM by VM', async () => {
    await ended(
      (await deploy(parts, ask({ count: 2, agent: 'command' }))).evaluation ?? (await lastEvaluation()),
    );
    const { evaluation } = await deploy(parts, ask({ agent: 'codex' }));
    const outcome = await ended(evaluation);
    assert.equal(outcome.state, 'reverted', JSON.stringify(outcome));
    const allocations = await nomad.allocations('shell');
    assert.equal((await nomad.job('shell'))!.Meta?.['agent'], 'command');
    const tried = allocations.filter(({ healthy }) => healthy === false);
    assert.equal(tried.length, 1, 'the other VM kept its worker');
    assert.equal(shownAllocation(tried[0]!).message, 'Exit Code: 1');
  });

  async function lastEvaluation(): Promise<string> {
    const found: { ID: string; DeploymentID: string }[] = await cluster.call('GET', 'job/shell/evaluations');
    return found.find(({ DeploymentID }) => DeploymentID !== '')!.ID;
  }

  it('what is dispatched twice by one token is dispatched once', async () => {
    const run = { ...parts, files: {}, settings: settingsWith(['nomad.worker.cores=1']) };
    await deploy(run, ask({ mode: 'dispatch' }));
    const input = { meta: { task: '7' }, idempotencyToken: '7-1' };
    const first = await nomad.dispatch('autocode-run', input);
    assert.equal((await nomad.dispatch('autocode-run', input)).dispatchedJobId, first.dispatchedJobId);
    const jobs = await deployedJobs(nomad, run.settings);
    assert.deepEqual(
      jobs.map(({ job, mode, state }) => [job, mode, state]),
      [['autocode-run', 'dispatch', 'healthy']],
    );
    await assert.rejects(nomad.dispatch('autocode-run', { meta: {}, idempotencyToken: '8-1' }), {
      code: 'ERR_NOMAD_REFUSED',
      message: /task/,
    });
    await nomad.stopJob('autocode-run', { purge: true });
  });

  it('a node that is drained loses its worker and gets it back', async () => {
    const [node] = await nomad.nodes();
    await nomad.drainNode(node!.id, { deadlineSeconds: 5 });
    await until('the end of it there', async () => {
      const there = (await nomad.allocations('shell')).filter((each) => each.node.id === node!.id);
      return there.every(({ status }) => status !== 'running');
    });
    assert.equal((await nomad.nodes()).find(({ id }) => id === node!.id)!.eligible, false);
    await nomad.drainNode(node!.id, null);
    await until('a worker there', async () =>
      (await nomad.allocations('shell')).some(
        (each) => each.node.id === node!.id && each.status === 'running',
      ),
    );
  });

  it('an allocation that is stopped is replaced', async () => {
    const running = async () =>
      (await nomad.allocations('shell')).filter(({ status }) => status === 'running');
    const [first] = await running();
    await nomad.stopAllocation(first!.id);
    await until('another', async () => {
      const now = await running();
      return now.length === 2 && now.every(({ id }) => id !== first!.id);
    });
    await assert.rejects(nomad.allocation('11111111-2222-3333-4444-555555555555'), { code: 'ERR_NOT_FOUND' });
  });

  it('events go on after the server was killed, and what may have been missed is told', async () => {
    const stop = new AbortController();
    const seen: FleetChange[] = [];
    const following = (async () => {
      for await (const change of nomad.events({ topics: ['Job'], signal: stop.signal })) seen.push(change);
    })();
    const versions = () =>
      seen.flatMap((change) => (change.gap ? [] : change.events.map(({ type, key }) => `${type} ${key}`)));
    await until('the past', async () => versions().includes('JobRegistered shell'));
    const before = seen.length;
    await cluster.server.kill();
    await cluster.server.start();
    await until('the server', async () => (await nomad.nodes().catch(() => [])).length === 2);
    await until('a gap', async () => seen.slice(before).some(({ gap }) => gap));
    await until('the change', async () => {
      await nomad.scale('shell', 'agent', 1).catch(() => {}); // a leader may not be there yet
      return seen.slice(before).some((change) => !change.gap);
    });
    const indexes = seen.flatMap((change) => (change.gap ? [] : [change.index]));
    assert.deepEqual(
      indexes,
      [...new Set(indexes)].sort((a, b) => a - b),
      'each once, in order',
    );
    stop.abort();
    await following;
  });
});

// Plays a scenario: time goes from one thing that happens to the next, and at each the scheduler decides as it always does.
// `elapsed` is the time that passes, in seconds; the database's clock is that much after the start, and whatever it has jumped.
// Used by the verb and by the benchmark.
import type { Scenario } from '../../protocol/scenario.ts';
import type { Config } from '../config/schema.ts';
import type { VirtualClock } from './clock.ts';
import { Crew, type CrewEvent } from './crew.ts';
import { seconds } from './duration.ts';
import { alarmMessage, numbered, ticketMessage } from './messages.ts';
import { observe, type Jump, type Observed } from './observe.ts';
import { openOrchestrator, type Due, type Orchestrator } from './orchestrator.ts';
import { SweepGrace } from '../tasks/sweep-grace.ts';
import { Killed, startProcess, type SimulatedProcess } from './process.ts';
import { quietChange, quietHoursOf } from './quiet-change.ts';
import { Timeline } from './timeline.ts';
import { workOf } from './work.ts';
import { populate } from './world.ts';

export interface SimulateOptions {
  /** Of a database made for it. */
  url: string;
  scenario: Scenario;
  config: Config;
  signal?: AbortSignal;
  /** Told now and then how far it is. */
  progress?: (elapsed: number) => void;
}

type Arrival = Scenario['arrivals'][number];
type Happening = Scenario['happenings'][number];

type Chore = keyof typeof EVERY_SECONDS;

/** Something that happens by itself. Sweeps and looks at deliveries that were planned anew since do not. */
type Event =
  | CrewEvent
  | { arrival: Arrival; n: number; index: number }
  | { happening: Happening }
  | { message: Message }
  | { submit: string }
  | { chore: Chore };

interface Message {
  source: string;
  delivery: string;
  body: object;
}

const EVERY_SECONDS = { sweep: 2, work: 1, incidents: 5 };
const SUBMIT_SECONDS = 5;
/** Without anything to do, time goes on by steps that grow, for what waits for something else. */
const STEPS = { first: 60, longest: 15 * 60 };
/** Nothing has happened for so long: what waits still would wait for ever. */
const PATIENCE = 3 * 24 * 3600;
const PROGRESS_EVERY = 200;

/** Plays a scenario in a database of its own, and tells what was decided. */
export async function simulate(options: SimulateOptions): Promise<Observed> {
  const simulation = new Simulation(options);
  try {
    return await simulation.run();
  } finally {
    await simulation.close();
  }
}

class Simulation {
  readonly #options: SimulateOptions;
  readonly #scenario: Scenario;
  readonly #clock: VirtualClock;
  readonly #timeline = new Timeline<Event>();
  readonly #delivered: { at: number; message: Message }[] = [];
  readonly #jumps: Jump[] = [{ event: 0, seconds: 0 }];
  readonly #quietHours;
  readonly #planned = { sweep: Infinity, work: Infinity, incidents: Infinity };
  readonly #grace: SweepGrace;
  #process: SimulatedProcess;
  #orchestrator: Orchestrator;
  #elapsed = 0;
  #jumped = 0;
  #quietChangesAt = 0;
  #killed: NonNullable<Happening['kill']> | undefined;
  #awayUntil = 0;

  constructor(options: SimulateOptions) {
    this.#options = options;
    this.#scenario = options.scenario;
    this.#quietHours = quietHoursOf(options.scenario, options.config);
    this.#grace = new SweepGrace(options.config.lease.startupGraceSeconds);
    this.#clock = { now: new Date(options.scenario.start) };
    this.#process = startProcess(options.url, this.#clock);
    this.#orchestrator = openOrchestrator(this.#process.db, options.config);
  }

  async run(): Promise<Observed> {
    const { until, arrivals, happenings } = this.#scenario;
    const crew = new Crew(await populate(this.#process.db, this.#scenario), {
      leaseSeconds: this.#options.config.lease.leaseSeconds,
      orchestrator: () => this.#orchestrator,
      now: () => this.#elapsed,
      elapsedAt: (time) => this.#elapsedAt(time),
      workOf: workOf(this.#scenario),
      later: (at, what) => this.#timeline.add(at, what),
    });
    for (const [index, arrival] of arrivals.entries())
      for (let n = 0; n < arrival.count; n++)
        this.#timeline.add(seconds(arrival.at) + n * seconds(arrival.every ?? '0s'), { arrival, n, index });
    for (const happening of happenings) this.#timeline.add(seconds(happening.at), { happening });
    await this.#playUntil(until === undefined ? Infinity : seconds(until), crew);
    return await observe(this.#process.db, this.#scenario, { jumps: this.#jumps, elapsed: this.#elapsed });
  }

  async close(): Promise<void> {
    await this.#process.gone();
  }

  async #playUntil(last: number, crew: Crew): Promise<void> {
    let step = STEPS.first;
    let idleSince = 0;
    for (let count = 0; ; count++) {
      this.#options.signal?.throwIfAborted();
      const next = this.#timeline.next();
      if (next === undefined) {
        const { waits } = await this.#orchestrator.due();
        if (!waits || this.#elapsed - idleSince > PATIENCE) return;
        this.#planChore('sweep', this.#elapsed + step);
        step = Math.min(step * 2, STEPS.longest);
        continue;
      }
      if (next.at > last) return this.#moveTo(last);
      if ('chore' in next.what) {
        if (this.#planned[next.what.chore] !== next.at) continue;
        this.#planned[next.what.chore] = Infinity;
      } else [step, idleSince] = [STEPS.first, next.at];
      if (count % PROGRESS_EVERY === 0) this.#options.progress?.(next.at);
      await this.#play(next, crew);
    }
  }

  // What needs an orchestrator that is away happens when it is back.
  async #play({ at, what }: { at: number; what: Event }, crew: Crew): Promise<void> {
    const needsNobody = 'happening' in what && what.happening.clock !== undefined;
    if (at < this.#awayUntil && !needsNobody) return this.#timeline.add(this.#awayUntil, what);
    this.#moveTo(at);
    try {
      await this.#happen(what, crew);
      this.#plan(await crew.claim(), what);
    } catch (error) {
      if (!isKilled(error)) throw error;
      await this.#restart(what);
    }
  }

  async #happen(what: Event, crew: Crew): Promise<void> {
    if ('arrival' in what) await this.#arrive(what.arrival, what.n, what.index);
    else if ('message' in what) await this.#deliver(what.message);
    else if ('happening' in what) await this.#upset(what.happening, crew);
    else if ('submit' in what) await this.#orchestrator.submit(what.submit);
    else if (!('chore' in what)) {
      const submits = await crew.happen(what);
      if (submits && 'end' in what)
        this.#timeline.add(this.#elapsed + SUBMIT_SECONDS, { submit: what.end.order.run });
    } else if (what.chore === 'work') await this.#orchestrator.work(this.#scenario.processes);
    else if (what.chore === 'incidents') await this.#orchestrator.keepIncidents();
    else {
      await crew.see();
      const now = this.#elapsed * 1000;
      await this.#orchestrator.sweep(await this.#grace.isOver(this.#process.db, now));
    }
  }

  #moveTo(elapsed: number): void {
    this.#elapsed = elapsed;
    this.#clock.now = this.#timeAt(elapsed);
  }

  #timeAt(elapsed: number): Date {
    return new Date(Date.parse(this.#scenario.start) + (elapsed + this.#jumped) * 1000);
  }

  #elapsedAt(time: Date): number {
    return (time.getTime() - Date.parse(this.#scenario.start)) / 1000 - this.#jumped;
  }

  async #arrive({ task, ticket, alarm, delivered }: Arrival, n: number, index: number): Promise<void> {
    if (task !== undefined) {
      const title = numbered(task.name, n);
      const { name: _name, ...input } = { ...task, project: numbered(task.project, n), title };
      return await this.#orchestrator.giveTask({ ...input, idempotencyKey: title });
    }
    const changed = this.#timeAt(alarm?.since === undefined ? this.#elapsed : seconds(alarm.since));
    const body = ticket === undefined ? alarmMessage(alarm!, n, changed) : ticketMessage(ticket, n);
    for (let again = 0; again < delivered; again++) {
      const message = { source: (ticket ?? alarm)!.source, body, delivery: `${index}/${n}/${again}` };
      this.#delivered.push({ at: this.#elapsed, message });
      await this.#deliver(message);
    }
  }

  async #deliver({ source, delivery, body }: Message): Promise<void> {
    await this.#orchestrator.deliver(source, delivery, body);
  }

  async #upset({ kill, clock, worker, drain }: Happening, crew: Crew): Promise<void> {
    if (drain !== undefined) await this.#orchestrator.drain(drain);
    if (worker !== undefined) await crew.leave(worker.name, seconds(worker.awayFor));
    if (clock !== undefined) await this.#jump(seconds(clock), crew);
    if (kill === undefined) return;
    const { heartbeatSeconds } = this.#options.config.lease;
    await crew.unheardUntil(this.#elapsed + seconds(kill.awayFor) + heartbeatSeconds / 2);
    this.#killed = kill;
    this.#process.killAt(kill.statement);
  }

  // A sweep comes before most of the heartbeats: what it takes for lost is back with these.
  async #jump(by: number, crew: Crew): Promise<void> {
    await crew.unheardUntil(this.#elapsed + this.#options.config.lease.heartbeatSeconds);
    const { rows } = await this.#process.db.query<{ event: number }>(
      'select coalesce(max(id), 0) as event from event',
    );
    this.#jumped += by;
    this.#jumps.push({ event: rows[0]!.event, seconds: this.#jumped });
    this.#quietChangesAt = 0;
    this.#moveTo(this.#elapsed);
  }

  // What was under way is done again when the orchestrator is back; what it had not removed from its queues comes again.
  async #restart(what: Event): Promise<void> {
    await this.#process.gone();
    const { awayFor, redelivered } = this.#killed!;
    this.#awayUntil = this.#elapsed + seconds(awayFor);
    this.#grace.begin(this.#awayUntil * 1000);
    const isDone = 'chore' in what || ('happening' in what && what.happening.kill !== undefined);
    if (!isDone) this.#timeline.add(this.#awayUntil, what, true);
    for (const { at, message } of this.#delivered)
      if (at >= this.#elapsed - seconds(redelivered)) this.#timeline.add(this.#awayUntil, { message });
    for (const chore of ['sweep', 'work', 'incidents'] as const) this.#planChore(chore, this.#awayUntil);
    this.#process = startProcess(this.#options.url, this.#clock);
    this.#orchestrator = openOrchestrator(this.#process.db, this.#options.config);
  }

  // What is due and was not done by the chore that just ran waits for something else to happen.
  #plan({ retry, lease, work, held, waits, incidents, quiet }: Due, what: Event): void {
    const done = 'chore' in what ? what.chore : undefined;
    const plan = (chore: Chore, ...times: number[]) =>
      this.#planChore(chore, Math.min(...times.filter((at) => at > this.#elapsed || done !== chore)));
    const when = (at: Date | null, least = 0) =>
      at === null ? Infinity : Math.max(this.#elapsedAt(at), least);
    const now = (isSo: boolean) => (isSo ? this.#elapsed : Infinity);
    const mayHaveFailed = done === 'sweep' || 'end' in what || 'submit' in what;
    const settled = when(quiet) + this.#options.config.incidents.settleMinutes * 60;
    plan(
      'sweep',
      when(retry),
      when(lease, this.#grace.endsAt / 1000),
      now(held),
      waits ? this.#quietChange() : Infinity,
    );
    plan('work', when(work));
    plan('incidents', settled, now(incidents && mayHaveFailed));
  }

  // At its own beat, and only then.
  #planChore(chore: Chore, at: number): void {
    const every = EVERY_SECONDS[chore];
    const due = (Math.floor(Math.max(at, this.#elapsed) / every) + 1) * every;
    const planned = this.#planned[chore];
    const isSoon = planned >= this.#elapsed && planned > at && planned <= due;
    if (isSoon || planned === due) return;
    this.#planned[chore] = due;
    if (due < Infinity) this.#timeline.add(due, { chore });
  }

  #quietChange(): number {
    if (this.#quietChangesAt <= this.#elapsed) {
      const change = quietChange(this.#timeAt(this.#elapsed), this.#quietHours);
      this.#quietChangesAt = change === undefined ? Infinity : this.#elapsedAt(change);
    }
    return this.#quietChangesAt;
  }
}

function isKilled(error: unknown): boolean {
  return error instanceof Killed || (error instanceof Error && isKilled(error.cause));
}

// The sandbox as the runner, the pipeline and the agents see it: where the work tree is, and how a process is started in it.
// One implementation a kind of isolation: bubblewrap.ts and container.ts behind confined.ts, and directory.ts, which is none.
import type { Readable, Writable } from 'node:stream';
import type { Isolation } from '../../protocol/project.ts';
import type { Used } from '../run-processes.ts';

export interface Sandbox {
  readonly kind: Isolation;
  /** The work tree, as processes inside see it. */
  readonly workspace: string;
  /** Scratch HOME of the run, as processes inside see it. */
  readonly home: string;
  /** Base address of the model gateway as seen inside, without /v1; it needs no key. */
  readonly gatewayUrl: string;
  /** The directory with the installed agents, and Node's program, as seen inside. */
  readonly toolDir: string;
  readonly node: string;
  /** The words that start a program of the worker's machine inside, whatever environment the run has. */
  hostProgram(program: string): string[];
  /** What whoever reads the run's log should know of this sandbox. */
  readonly notices: string[];
  /** Starts a program (argv[0] by PATH or absolute) in a process group of its own. Never throws: a program that is missing exits 127. */
  spawn(argv: string[], options: SpawnOptions): SandboxProcess;
  /** What its control group counts; null where it has none. */
  readonly used: (() => Promise<Used>) | null;
  /** Ends every process that was started inside, whatever became of it; resolves when none is left. */
  killAll(): Promise<void>;
  /** Ends all processes and gives back what the sandbox holds. */
  close(): Promise<void>;
}

export interface SpawnOptions {
  /** The work tree when left out. */
  cwd?: string;
  /** Added to the sandbox's own minimal environment; nothing of the host's is inherited. */
  env?: Record<string, string>;
  /** The way to the model gateway is there. Without it a program has no network at all, and begins sooner. */
  gateway?: boolean;
  /** The way out by the egress proxy is there, where runs have one; the program's environment leads it there. */
  egress?: boolean;
  /** `ignore` when left out. */
  stdin?: 'pipe' | 'ignore';
}

export interface SandboxProcess {
  /** -1 when the program could not be started. */
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<Exit>;
  /** Signals the whole process group. */
  kill(signal: NodeJS.Signals): void;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

// What the routes work with; filled once in main.ts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RunTokens } from '../access/tokens.ts';
import type { Change } from '../../protocol/change.ts';
import type { Model } from '../../protocol/model.ts';
import type { BaseAnswer, Run } from '../../protocol/run.ts';
import type { Status } from '../../protocol/status.ts';
import type { Project, ProjectInput, ProjectPatch } from '../../protocol/project.ts';
import type { Config } from '../config/schema.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import type { Database, Queryable } from '../db/connect.ts';
import type { LogStore } from '../workers/log-store.ts';

/** The repositories' part of the context: all that touches git. */
export interface Repositories {
  /** Makes a project: checks the repository first, hosts a bare one where none is named, finds verify commands where none are given. */
  create(input: ProjectInput): Promise<Project>;
  /** Changes what the patch names; a forge that it names is checked first. */
  update(project: string, patch: ProjectPatch): Promise<Project>;
  prepareBase(run: string, fence: number): Promise<BaseAnswer>;
  runDiff(run: Run, format: DiffFormat): Promise<string>;
  changeDiff(change: Change, format: DiffFormat): Promise<string>;
  /** Marks an open change merged when the forge's base branch contains it by now. */
  refreshChange(id: number): Promise<void>;
  mergeChange(id: number): Promise<Change>;
  closeChange(id: number): Promise<Change>;
  /** A delivery of a forge's webhook, as it came. */
  receiveHook(delivery: {
    forge: string;
    id: string;
    event: string;
    signature: string;
    body: Buffer;
  }): Promise<void>;
  git(
    request: IncomingMessage,
    response: ServerResponse,
    access: { run: string; fence: number; repository: number },
  ): Promise<void>;
}

export type DiffFormat = 'patch' | 'stat' | 'names';

export interface ApiContext {
  db: Database;
  config: Config;
  logs: LogStore;
  repositories: Repositories;
  secrets: SecretManager;
  models(): Model[];
  runTokens(db: Queryable, run: string): Promise<RunTokens>;
  gatewayUrl(): string;
  status(): Promise<Status>;
  /** Aborted when the daemon stops: long polls and streams end. */
  stopping: AbortSignal;
  log: { warn(message: string, fields?: object): void; error(message: string, fields?: object): void };
}

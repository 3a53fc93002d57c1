// What the routes work with; filled once in main.ts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RunTokens } from '../access/tokens.ts';
import type { Change } from '../../protocol/change.ts';
import type { Model } from '../../protocol/model.ts';
import type { ProjectInput } from '../../protocol/project.ts';
import type { BaseAnswer, Run } from '../../protocol/run.ts';
import type { Status } from '../../protocol/status.ts';
import type { Project, VerifyCommand } from '../../protocol/project.ts';
import type { Config } from '../config/schema.ts';
import type { Database, Queryable } from '../db/connect.ts';
import type { LogStore } from '../workers/log-store.ts';

/** The repositories' part of the context: all that touches git. */
export interface Repositories {
  /** Checks a repository before a project is made of it; hosts a bare one where none is named. */
  create(input: ProjectInput): Promise<Project>;
  suggestVerify(project: Project): Promise<VerifyCommand[]>;
  prepareBase(run: string, fence: number): Promise<BaseAnswer>;
  runDiff(run: Run, format: DiffFormat): Promise<string>;
  changeDiff(change: Change, format: DiffFormat): Promise<string>;
  refreshChanges(): Promise<void>;
  mergeChange(id: number): Promise<Change>;
  git(request: IncomingMessage, response: ServerResponse, access: { run: string; fence: number; repository: number }): Promise<void>;
}

export type DiffFormat = 'patch' | 'stat' | 'names';

export interface ApiContext {
  db: Database;
  config: Config;
  logs: LogStore;
  repositories: Repositories;
  models(): Model[];
  runTokens(db: Queryable, run: string): Promise<RunTokens>;
  gatewayUrl(): string;
  status(): Promise<Status>;
  /** Aborted when the daemon stops: long polls and streams end. */
  stopping: AbortSignal;
  log: { warn(message: string, fields?: object): void; error(message: string, fields?: object): void };
}

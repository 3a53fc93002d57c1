// What the routes work with; filled once in main.ts.
import type { IncomingMessage } from 'node:http';
import type { RunTokens } from '../access/tokens.ts';
import type { Model } from '../../protocol/model.ts';
import type { Status } from '../../protocol/status.ts';
import type { NomadSettings } from '../config/nomad-settings.ts';
import type { Config } from '../config/schema.ts';
import type { RunningSettings } from '../config/settings.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import type { Database, Queryable } from '../db/connect.ts';
import type { Search } from '../egress/audit/client.ts';
import type { NomadClient } from '../nomad/client.ts';
import type { Sealer } from '../intake/sealing.ts';
import type { KeptPrompts } from '../prompts/read.ts';
import type { Redactor } from '../redaction/redactor.ts';
import type { Catalogue } from '../models/catalogue.ts';
import type { RoleBook } from '../models/roles.ts';
import type { Repositories } from '../repos/repositories.ts';
import type { ClaimSettings } from '../tasks/work-order.ts';
import type { LogStore } from '../workers/log-store.ts';

/** What workers on other machines are told of the listeners over TLS. */
export interface ApiTls {
  /** Address of the API for them. */
  url(): string;
  /** Certificate of the authority that they trust, PEM, and its SHA-256 in hexadecimal. */
  authority(): string;
  fingerprint(): string;
  /** Where the gateway is for whoever sent a request; null when it did not come over TLS. */
  gatewayUrl(request: IncomingMessage): string | null;
}

export interface ApiContext {
  db: Database;
  config: Config;
  settings: RunningSettings;
  process: {
    startedAt: string;
    /** Has the process start anew with what the configuration says then; absent where it is one of several. */
    restart?: (() => void) | undefined;
  };
  logs: LogStore;
  repositories: Repositories;
  secrets: SecretManager;
  /** Takes the values of secrets out of answers. */
  redactor(): Pick<Redactor, 'values'>;
  prompts: KeptPrompts;
  /** What seals the bodies of deliveries. */
  sealer: Sealer;
  /** Where archives of environments are kept. */
  environmentsDirectory: string;
  models(): Model[];
  catalogue: Pick<Catalogue, 'ladder' | 'resolve' | 'roles'>;
  roleBook: Pick<RoleBook, 'refresh'>;
  runTokens(db: Queryable, run: string): Promise<RunTokens>;
  gatewayUrl(): string;
  /** The way out of a run's sandboxes; absent where there is none. */
  egress?: ClaimSettings['egress'];
  /** Elasticsearch with the records of traffic; absent where it is not configured. */
  audit?: Search | undefined;
  /** Absent where `tls` is not configured. */
  tls?: ApiTls | undefined;
  /** Absent where `nomad` is not configured. */
  fleet?: { nomad: NomadClient; settings: NomadSettings; version: string } | undefined;
  status(): Promise<Status>;
  /** Aborted when the daemon stops: long polls and streams end. */
  stopping: AbortSignal;
  log: { warn(message: string, fields?: object): void; error(message: string, fields?: object): void };
}

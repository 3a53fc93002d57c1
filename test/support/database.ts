// A fresh, migrated database for a test: `await using db = await testDatabase()`. Cloned from a template on one
// server for the whole test run. Used by every test that keeps state.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processStartTime } from '../../orchestrator/config/daemon-file.ts';
import { connect } from '../../orchestrator/db/connect.ts';
import type { Database } from '../../orchestrator/db/connect.ts';
import { TEMPLATE, answerFile, databaseUrl } from './database-server.ts';

const START_MS = 120_000;
let created = 0;

export interface TestDatabase {
  pool: Database;
  url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes a database; disposing it ends the pool and drops it. `empty`: without the schema. */
export async function testDatabase(
  options: { empty?: boolean; poolSize?: number } = {},
): Promise<TestDatabase> {
  const server = await testServer();
  const name = `test_${process.pid}_${++created}`;
  const template = options.empty === true ? 'template0' : TEMPLATE;
  await administer(server, `create database ${name} template ${template} strategy file_copy`);
  const url = databaseUrl(server, name);
  const pool = connect({ url, poolSize: options.poolSize ?? 10, applicationName: name });
  return {
    pool,
    url,
    async [Symbol.asyncDispose]() {
      if (!pool.ended) await pool.end();
      await administer(server, `drop database ${name} with (force)`);
    },
  };
}

async function administer(server: string, sql: string): Promise<void> {
  const admin = connect({ url: server, poolSize: 1 });
  try {
    await admin.query(sql);
  } finally {
    await admin.end();
  }
}

let server: Promise<string> | undefined;

function testServer(): Promise<string> {
  server ??= findOrStartServer();
  return server;
}

// Under `node --test` each file is a process, and the runner, its parent, lives as long as the run does.
async function findOrStartServer(): Promise<string> {
  const watched = process.env.NODE_TEST_CONTEXT === undefined ? process.pid : process.ppid;
  const started = processStartTime(watched) ?? '';
  const directory = join(tmpdir(), `autocode-test-${process.getuid?.()}-${watched}-${started}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (readAnswer(directory) === undefined) {
    const program = join(import.meta.dirname, 'database-server.ts');
    const args = [program, directory, String(watched), started];
    spawn(process.execPath, args, {
      detached: true,
      stdio: 'ignore',
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
    }).unref();
  }
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await delay(20)) {
    const answer = readAnswer(directory);
    if (answer?.url !== undefined) return answer.url;
    if (answer?.error !== undefined)
      throw new Error(`the test database server did not start: ${answer.error}`);
  }
  throw new Error(`the test database server did not start within ${START_MS / 1000} s (${directory})`);
}

function readAnswer(directory: string): { url?: string; error?: string } | undefined {
  try {
    return JSON.parse(readFileSync(answerFile(directory), 'utf8')) as { url?: string; error?: string };
  } catch {
    return undefined;
  }
}

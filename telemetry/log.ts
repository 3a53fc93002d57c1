// The logger of the daemon and of the worker: lines for people on the console, JSON lines with context in files that
// rotate daily. Used by orchestrator/main.ts and worker-agent's processes; everyone else gets a Log handed in.
import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import { createReadStream, createWriteStream, existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import winston from 'winston';
import DailyRotateFile from 'winston-daily-rotate-file';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogFields = object;

/** What parts log with; a child carries its context (run, task, worker, requestId …) into every line of the file. */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  child(context: LogFields): Log;
}

/** The logger of a process; `close` resolves when every line is in its file. */
export interface RootLog extends Log {
  close(): Promise<void>;
}

export interface LogOptions {
  directory?: string; // of the files; none are written when left out
  service: string; // names the files, as `orchestrator`
  level?: LogLevel;
  retentionDays?: number;
  console?: NodeJS.WritableStream | false; // stdout when left out
  reopenAfterMs?: number;
  /** What each line goes through before it is shown or written. */
  clean?: (line: string) => string;
}

const CLOSE_MS = 3_000;
/** Where winston has the line of an entry. */
const LINE = Symbol.for('message');
const COLOURS: Record<string, string> = { error: '31', warn: '33', info: '32', debug: '90' };

/** Opens the logger. A file that cannot be written (a full disk) never stops the process: it is opened again later. */
export function createLog(options: LogOptions): RootLog {
  const { directory, level = 'info', reopenAfterMs = 30_000 } = options;
  const logger = winston.createLogger({
    level,
    transports: consoleTransports(options.console ?? process.stdout, cleaned(options)),
  });
  logger.on('error', () => {}); // each transport reports its own

  let closed = false;
  let file = directory === undefined ? null : openFile(directory);
  if (directory !== undefined) void compressLeftovers(directory, options.service);
  function openFile(directory: string): DailyRotateFile {
    const transport = fileTransport(directory, options);
    logger.add(transport);
    let broken = false;
    const failed = (error: Error) => {
      if (broken || closed) return;
      broken = true;
      logger.remove(transport);
      logger.error(
        `log files in ${directory} cannot be written: ${error.message}; lines are shown here only for now`,
      );
      const reopen = setTimeout(() => {
        if (!closed) file = openFile(directory);
      }, reopenAfterMs);
      reopen.unref();
    };
    // The stream's own error event is not passed on by the transport, and would end the process.
    transport.logStream.on('error', failed);
    transport.on('error', failed);
    return transport;
  }

  return {
    ...logOf(logger),
    async close() {
      closed = true;
      const flushed = (async () => {
        logger.end();
        await once(logger, 'finish');
        if (file === null) return;
        const { logStream } = file;
        await new Promise<void>((done) => logStream.end(() => done()));
      })();
      await Promise.race([flushed, delay(CLOSE_MS, undefined, { ref: false })]);
    },
  };
}

function logOf(logger: winston.Logger): Log {
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) =>
      void logger.log(level, message, { ...fields });
  return {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    child: (context) => logOf(logger.child(context)),
  };
}

function consoleTransports(
  stream: NodeJS.WritableStream | false,
  clean: winston.Logform.Format,
): winston.transport[] {
  if (stream === false) return [];
  const coloured = 'isTTY' in stream && stream.isTTY === true;
  const format = winston.format.printf(({ level, message, error }) => {
    const name = level.toUpperCase().padEnd(5);
    const shown = coloured ? `\u001b[${COLOURS[level] ?? '0'}m${name}\u001b[0m` : name;
    const cause = error instanceof Error ? `: ${error.message}` : '';
    return `${new Date().toISOString()} ${shown} ${String(message)}${cause}`;
  });
  return [
    new winston.transports.Stream({ stream, format: winston.format.combine(format, clean), eol: '\n' }),
  ];
}

function fileTransport(directory: string, options: LogOptions): DailyRotateFile {
  const { service, retentionDays = 30 } = options;
  const json = winston.format((info) => {
    const { level, message, ...context } = info;
    return {
      time: new Date().toISOString(),
      level,
      service,
      message,
      ...withErrors(context),
    } as winston.Logform.TransformableInfo;
  });
  return new DailyRotateFile({
    filename: join(directory, `${service}-%DATE%.log`),
    auditFile: join(directory, `.${service}-files.json`),
    datePattern: 'YYYY-MM-DD',
    utc: true,
    maxFiles: `${retentionDays}d`,
    zippedArchive: true,
    options: { flags: 'a', mode: 0o640 },
    format: winston.format.combine(json(), winston.format.json(), cleaned(options)),
  });
}

/** The last step of a format: the line as it is written, through `clean`. */
function cleaned({ clean = (line) => line }: LogOptions): winston.Logform.Format {
  return winston.format((info) => ({ ...info, [LINE]: clean(String(info[LINE])) }))();
}

function withErrors(context: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context).map(([key, value]) => [key, value instanceof Error ? errorFields(value) : value]),
  );
}

function errorFields(error: Error): Record<string, unknown> {
  const { cause } = error;
  return {
    message: error.message,
    ...('code' in error ? { code: error.code } : {}),
    stack: error.stack,
    ...(cause instanceof Error ? { cause: errorFields(cause) } : {}),
  };
}

// Files of days at whose end no process ran: the transport compresses only what it rotates itself.
async function compressLeftovers(directory: string, service: string): Promise<void> {
  const today = new Date().toISOString().slice(0, 10);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  for (const name of names.filter(
    (file) => file.startsWith(`${service}-`) && /-\d{4}-\d\d-\d\d\.log$/.test(file),
  )) {
    if (name.includes(today)) continue;
    const path = join(directory, name);
    try {
      await pipeline(createReadStream(path), createGzip(), createWriteStream(`${path}.gz`));
      await rm(path);
    } catch {
      return; // a full disk: the next start tries again
    }
  }
}

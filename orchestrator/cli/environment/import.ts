// `autocode environment import`: reads what the user has here, and sends it to the daemon as an archive.
import { Readable } from 'node:stream';
import { resolve } from 'node:path';
import { createZstdCompress } from 'node:zlib';
import { ARCHIVE_TYPE, Environment } from '../../../protocol/environment.ts';
import { readSource } from '../../environments/import/read.ts';
import { archiveOf } from '../../environments/import/write.ts';
import { variablesFrom } from '../../environments/import/variables.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { bytes } from '../format.ts';
import { print, printJson } from '../output.ts';
import { drawEnvironment } from './show.ts';

const TELL_MS = 1_000;

/** Imports it; progress goes to stderr where that is a terminal. */
export async function importEnvironment(
  args: GlobalArgs & { name: string; path: string; variable: string[] | undefined },
): Promise<void> {
  const path = resolve(args.path);
  const tell = teller();
  const source = await readSource(path, (words) => tell(`reading ${words}`, true));
  try {
    const { variables, leftOut } = variablesFrom(source.variables, args.variable ?? []);
    const environment = await connect(args).upload(
      `/environments/${encodeURIComponent(args.name)}`,
      Environment,
      {
        body: Readable.from(counted(archiveOf(source.tree, variables), tell)).pipe(createZstdCompress()),
        type: ARCHIVE_TYPE,
        query: { source: `${path}, ${source.what}`.slice(0, 1000) },
      },
    );
    tell('', true);
    const without = [...[...source.tree.leftOut].map(([what, count]) => leftWords(what, count)), ...leftOut];
    if (args.json) return printJson({ ...environment, leftOut: without });
    print(
      `Environment ${args.name} is there. Give it to a project: autocode project set PROJECT --environment ${args.name}`,
      '',
      drawEnvironment(environment),
      ...(without.length === 0 ? [] : ['', `Left out: ${without.join('; ')}.`]),
    );
  } finally {
    await source.close();
  }
}

async function* counted(pieces: AsyncIterable<Uint8Array>, tell: Tell): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const piece of pieces) {
    sent += piece.length;
    tell(`sending ${bytes(sent)}`);
    yield piece;
  }
}

function leftWords(what: string, count: number): string {
  return what.startsWith('/') || count === 1 ? what : `${count} ${what}`;
}

type Tell = (words: string, now?: boolean) => void;

/** One line that is written over. */
function teller(): Tell {
  let last = -Infinity;
  return (words, now = false) => {
    if (!process.stderr.isTTY || (!now && performance.now() - last < TELL_MS)) return;
    last = performance.now();
    process.stderr.write(`\r\u001B[K${words}`);
  };
}

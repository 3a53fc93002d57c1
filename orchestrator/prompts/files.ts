// Where kept prompts lie: <directory>/<run>/<request>.age, one file a call: JSON, compressed, sealed with age. The thread
// writes them with the public half of the key; whoever reads needs the other half.
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { KeptPrompt } from '../../protocol/model.ts';
import { writeFileAtomic } from '../config/atomic-file.ts';

// Sealed with the prompt, so that a file that was moved over another's is noticed.
const Content = z.object({ run: z.string(), request: z.string(), prompt: KeptPrompt });

/** Writes one prompt, whole or not at all. */
export async function writePrompt(
  directory: string,
  recipient: string,
  content: z.infer<typeof Content>,
): Promise<void> {
  const file = join(directory, content.run, `${content.request}.age`);
  const { Encrypter } = await import('age-encryption'); // loaded where prompts are kept
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  const sealed = await encrypter.encrypt(await promisify(zstdCompress)(Buffer.from(JSON.stringify(content))));
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFileAtomic(file, sealed);
}

/** The requests of a run whose prompts are kept. */
export async function keptRequests(directory: string, run: string): Promise<string[]> {
  const names = await readdir(join(directory, run)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return [];
  });
  return names.filter((name) => name.endsWith('.age')).map((name) => name.slice(0, -'.age'.length));
}

/** Opens the prompt of one request; undefined where none is kept. */
export async function openPrompt(
  directory: string,
  identity: string,
  { run, request }: { run: string; request: string },
): Promise<KeptPrompt | undefined> {
  const sealed = await readFile(join(directory, run, `${request}.age`)).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return undefined;
    },
  );
  if (sealed === undefined) return undefined;
  const { Decrypter } = await import('age-encryption');
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const text = await promisify(zstdDecompress)(await decrypter.decrypt(sealed));
    const content = Content.parse(JSON.parse(text.toString()));
    if (content.run === run && content.request === request) return content.prompt;
  } catch {
    // No cause: a parser's message may quote what it read.
  }
  throw new AutocodeError(
    'ERR_SECRET',
    `A kept prompt of run ${run} cannot be opened (request ${request}).`,
    {
      remedy: 'Its file was changed, or the secret prompts-key is not the one that it was sealed with.',
    },
  );
}

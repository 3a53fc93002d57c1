// Writes a tree as an archive of the store: always the same bytes for the same files. Used by `autocode environment import`.
import { AutocodeError } from '../../../protocol/errors.ts';
import { headerOf, padding, TAR_END } from '../tar/write.ts';
import { factsEntry } from '../store/receive.ts';
import type { Content, Directory, Node, Tree } from './tree.ts';

/** The archive before it is compressed, piece by piece. */
export async function* archiveOf(
  { root }: Tree,
  variables: Record<string, string>,
): AsyncGenerator<Uint8Array> {
  const written = new Map<Content, string>();
  yield* factsEntry({ variables });
  yield* below('root', root);
  yield TAR_END;

  async function* below(name: string, node: Node): AsyncGenerator<Uint8Array> {
    if (node.kind === 'directory') {
      yield headerOf({ name, kind: 'directory', mode: node.mode, mtime: node.mtime, size: 0, target: '' });
      for (const [each, child] of sorted(node)) yield* below(`${name}/${each}`, child);
    } else if (node.kind === 'link') {
      yield headerOf({ name, kind: 'link', mode: 0o777, mtime: node.mtime, size: 0, target: node.target });
    } else {
      const { mode, mtime, content } = node;
      const target = written.get(content);
      if (target !== undefined)
        return yield headerOf({ name, kind: 'hard-link', mode, mtime, size: 0, target });
      written.set(content, name);
      yield headerOf({ name, kind: 'file', mode, mtime, size: content.size, target: '' });
      yield* wholeOf(name, content);
      yield padding(content.size);
    }
  }
}

function sorted({ entries }: Directory): [string, Node][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}

async function* wholeOf(name: string, { size, open }: Content): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of open()) {
    bytes += piece.length;
    if (bytes > size) break;
    yield piece;
  }
  if (bytes !== size)
    throw new AutocodeError('ERR_ENVIRONMENT', `/${name.slice('root/'.length)} changes while it is read.`, {
      remedy: 'Import it again when nothing writes to it.',
    });
}

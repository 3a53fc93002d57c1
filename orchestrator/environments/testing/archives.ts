// Makes tars entry by entry, with whatever a hostile one would have, and images of them. For tests.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { factsEntry } from '../store/receive.ts';
import { headerOf, padding, TAR_END, type WrittenEntry } from '../tar/write.ts';

export type Entry = Partial<Omit<WrittenEntry, 'size'>> & {
  name: string;
  text?: string | Buffer;
  type?: string;
  rawMode?: number;
};

/** A tar of these; `type` and `rawMode` stand in the header as they are. */
export function tarOf(entries: Entry[]): Buffer {
  const pieces = entries.flatMap(({ text = '', type, rawMode, ...entry }) => {
    const bytes = Buffer.from(text);
    const header = headerOf({
      kind: 'file',
      mode: 0o755,
      mtime: 1,
      target: '',
      ...entry,
      size: bytes.length,
    });
    const last = header.subarray(-512);
    if (type !== undefined) last.write(type, 156);
    if (rawMode !== undefined) last.write(rawMode.toString(8).padStart(7, '0'), 100);
    last.write('        ', 148);
    last.write(
      `${last
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return [header, bytes, padding(bytes.length)];
  });
  return Buffer.concat([...pieces, TAR_END]);
}

/** A directory of an archive. */
export const folder = (name: string): Entry => ({ name, kind: 'directory' });

/** What the store takes: facts, then these entries, compressed. */
export function archiveOfEntries(entries: Entry[], variables: Record<string, string> = {}): Readable {
  return Readable.from([zstdCompressSync(Buffer.concat([...factsEntry({ variables }), tarOf(entries)]))]);
}

/** The least that the store takes, and more. */
export const LEAST: Entry[] = [folder('root'), folder('root/bin'), { name: 'root/bin/sh', text: '#!' }];

/** The files of an image as `docker save` wrote them for years: a folder a layer. */
export function savedImage(layers: Entry[][], variables: string[]): Entry[] {
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    config: { Env: variables },
  };
  const names = layers.map((_, index) => `layer-${index}/layer.tar`);
  return [
    ...names.map((name, index) => ({ name, text: tarOf(layers[index]!) })),
    { name: 'config.json', text: JSON.stringify(config) },
    {
      name: 'manifest.json',
      text: JSON.stringify([{ Config: 'config.json', RepoTags: ['x:1'], Layers: names }]),
    },
  ];
}

/** The files of an OCI layout, its layers compressed in turn with gzip, zstd and not at all. */
export function ociFiles(layers: Entry[][], variables: string[]): Map<string, Buffer> {
  const files = new Map<string, Buffer>([['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')]]);
  const keep = (bytes: Buffer) => {
    const digest = createHash('sha256').update(bytes).digest('hex');
    files.set(`blobs/sha256/${digest}`, bytes);
    return { digest: `sha256:${digest}`, size: bytes.length };
  };
  const pack: ((bytes: Buffer) => Buffer)[] = [gzipSync, zstdCompressSync, (bytes) => bytes];
  const manifest = {
    layers: layers.map((layer, index) => keep(pack[index % 3]!(tarOf(layer)))),
    config: keep(Buffer.from(JSON.stringify({ config: { Env: variables } }))),
  };
  const here = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
  const inner = {
    manifests: [
      { ...keep(Buffer.from(JSON.stringify(manifest))), platform: here },
      { ...keep(Buffer.from('{}')), platform: { os: 'linux', architecture: 's390x' } },
    ],
  };
  files.set(
    'index.json',
    Buffer.from(JSON.stringify({ manifests: [keep(Buffer.from(JSON.stringify(inner)))] })),
  );
  return files;
}

/** All of a stream. */
export const bytesOf = async (pieces: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  await buffer(Readable.from(pieces));

// ray_serve_app.py as a package that a Ray cluster takes: a zip file of one stored entry. Used by ray-serve.ts, so that no
// node of the cluster needs Autocode's files.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const FILE = 'ray_serve_app.py';

/** The package and its name, which tells its content. */
export async function applicationPackage(): Promise<{ name: string; content: Uint8Array }> {
  const content = zipped(FILE, await readFile(join(import.meta.dirname, FILE)));
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return { name: `_ray_pkg_autocode_${digest}.zip`, content };
}

// 1 January 1980, the first date that a zip file knows: the same content makes the same bytes.
const DATE = 0x21;
const READABLE = 0o100644;

function zipped(name: string, data: Uint8Array): Uint8Array {
  const path = Buffer.from(name);
  const common = Buffer.alloc(26); // of version 2.0, stored
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(DATE, 8);
  common.writeUInt32LE(crc32(data), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(path.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, path, data]);
  const attributes = Buffer.alloc(14);
  attributes.writeUInt16LE(READABLE, 8);
  const entry = Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), common, attributes, path]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

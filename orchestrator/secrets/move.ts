// Brings secrets from one store to another: what is there already stays as it is. Used by `autocode secret move`.
import type { SecretManager } from './secret-manager.ts';

export interface Moved {
  name: string;
  what: 'moved' | 'was there already' | 'left: another value is there';
}

/** Moves the newest version of each that is wanted; away from the first store only when the other one gives it back. */
export async function moveSecrets(
  from: SecretManager,
  to: SecretManager,
  wanted: (name: string) => boolean,
): Promise<Moved[]> {
  const moved: Moved[] = [];
  for (const { name } of (await from.list()).filter((each) => wanted(each.name))) {
    const secret = await from.get(name);
    if (secret === undefined) continue;
    const there = await to.get(name);
    if (there !== undefined && there.value !== secret.value) {
      moved.push({ name, what: 'left: another value is there' });
      continue;
    }
    if (there === undefined) await to.put(name, secret.value, { expectedVersion: 0 });
    if ((await to.get(name))?.value !== secret.value) continue; // written over meanwhile: the next call tells
    await from.delete(name);
    moved.push({ name, what: there === undefined ? 'moved' : 'was there already' });
  }
  return moved;
}

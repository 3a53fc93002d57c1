// One LISTEN connection a channel and process, shared by all that wait on it: long polls, streams, the scheduler.
import { listen, type Database, type Listener } from './connect.ts';

type Callback = (payload: string | undefined) => void;
interface Channel {
  listener: Promise<Listener>;
  callbacks: Set<Callback>;
}
const channels = new WeakMap<Database, Map<string, Channel>>();

/** One LISTEN connection a channel and process, however many polls wait on it. */
export async function onNotify(db: Database, name: string, callback: Callback): Promise<() => void> {
  const ofDatabase = channels.get(db) ?? new Map<string, Channel>();
  channels.set(db, ofDatabase);
  let channel = ofDatabase.get(name);
  if (channel === undefined) {
    const callbacks = new Set<Callback>();
    const listener = listen(db, name, (payload) => {
      for (const each of callbacks) each(payload);
    });
    listener.catch(() => ofDatabase.delete(name));
    channel = { listener, callbacks };
    ofDatabase.set(name, channel);
  }
  const { callbacks, listener } = channel;
  callbacks.add(callback);
  await listener;
  return () => void callbacks.delete(callback);
}

/** Ends the connections that listen; called when the daemon stops. */
export async function stopListening(db: Database): Promise<void> {
  const ofDatabase = channels.get(db);
  channels.delete(db);
  for (const channel of ofDatabase?.values() ?? []) await (await channel.listener).stop();
}

// As whom PostgreSQL runs, and the command that runs one of its programs so: it refuses to be root. An ordinary
// user runs it as himself. Used by the cluster's initialisation and by the supervisor.
import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

// The daemon's own number where it is root: no other program runs under it, so none gets at the files.
const POSTGRES_UID = 26_432;

export interface PostgresUser {
  uid: number;
  gid: number;
  /** self: as we are; switched: as another user; mounted: as another user, over private bind mounts. */
  way: 'self' | 'switched' | 'mounted';
}

export interface PostgresPlaces {
  installation: string; // bin/, lib/ and share/ are below
  cluster: string; // the database files
  runtime: string; // the socket, and as root the mount points
}

/** Chooses the user; who owns an existing cluster keeps it. */
export function postgresUser(cluster: string): PostgresUser {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? uid, way: 'self' };
  const way = spawnSync('unshare', ['-m', 'true']).status === 0 ? 'mounted' : 'switched';
  const owner = statSync(cluster, { throwIfNoEntry: false });
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid, way };
  if (way === 'mounted') return { uid: POSTGRES_UID, gid: POSTGRES_UID, way };
  // Without the right to mount (a plain container) initdb wants a user that the real /etc/passwd knows.
  const known = passwdEntry('postgres') ?? passwdEntry('nobody') ?? { uid: POSTGRES_UID, gid: POSTGRES_UID };
  return { ...known, way };
}

/** Gives a directory (not what is in it) to the user, private, making it when missing. */
export function giveDirectory(path: string, user: PostgresUser): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (user.way !== 'self') chownSync(path, user.uid, user.gid);
}

// The user need not be able to reach the data directory or the checkout (they may lie under /root): a mount
// namespace of the child alone shows both below the runtime directory, and a passwd entry that initdb asks for.
const MOUNT_AND_RUN = `
mount --bind "$1" "$3/installation"; mount --bind "$2" "$3/cluster"; mount --bind "$3/passwd" /etc/passwd
runtime=$3 uid=$4 gid=$5 program=$6; shift 6
exec setpriv --reuid "$uid" --regid "$gid" --clear-groups --pdeathsig INT -- "$runtime/installation/bin/$program" "$@"`;

/**
 * The command that runs a program on a cluster; it gets SIGINT (a fast shutdown) when this process dies.
 * No process stays in between: the child's pid is the program's.
 */
export function postgresCommand(
  user: PostgresUser,
  places: PostgresPlaces,
  program: string,
  args: (cluster: string) => string[],
): { file: string; args: string[] } {
  const { installation, cluster, runtime } = places;
  const [uid, gid] = [String(user.uid), String(user.gid)];
  if (user.way === 'mounted') {
    prepareMountPoints(runtime, user);
    const script = [
      '-m',
      '--',
      'sh',
      '-ec',
      MOUNT_AND_RUN,
      'sh',
      installation,
      cluster,
      runtime,
      uid,
      gid,
      program,
    ];
    return { file: 'unshare', args: [...script, ...args(join(runtime, 'cluster'))] };
  }
  const switched = user.way === 'switched' ? ['--reuid', uid, '--regid', gid, '--clear-groups'] : [];
  const command = ['--pdeathsig', 'INT', '--', join(installation, 'bin', program), ...args(cluster)];
  return { file: 'setpriv', args: [...switched, ...command] };
}

/** Empties the runtime directory of a server that has ended: the mount points, and the socket if it was killed. */
export function clearRuntime(runtime: string): void {
  for (const name of ['installation', 'cluster']) {
    const mountPoint = join(runtime, name);
    if (existsSync(mountPoint)) rmdirSync(mountPoint); // never recursive: it would be the data if a mount leaked
  }
  for (const name of ['passwd', '.s.PGSQL.5432', '.s.PGSQL.5432.lock'])
    rmSync(join(runtime, name), { force: true });
}

function prepareMountPoints(runtime: string, user: PostgresUser): void {
  for (const name of ['installation', 'cluster']) mkdirSync(join(runtime, name), { recursive: true });
  const passwd = readFileSync('/etc/passwd', 'utf8').trimEnd();
  const entry = `autocode-postgres:x:${user.uid}:${user.gid}::/:/usr/sbin/nologin`;
  writeFileSync(join(runtime, 'passwd'), `${passwd}\n${entry}\n`, { mode: 0o644 });
}

function passwdEntry(name: string): { uid: number; gid: number } | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

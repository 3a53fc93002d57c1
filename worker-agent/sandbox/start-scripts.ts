// The shell on a program's way into a sandbox: outside, before the program that confines; inside, before the program itself.
// Used by bubblewrap-process.ts and crun-process.ts.
import { GATEWAY_PORT } from './layout.ts';

// Closes what else is open (whoever started the worker may have left files open, which would be passed on), joins the control
// groups (arguments up to `--`), then becomes the program that confines: whatever that starts is in them from its first moment.
// Bash, since a plain sh cannot close what has two digits.
export const JOIN = `for each in /proc/self/fd/*; do
  number=\${each##*/}
  ((number <= 5)) || eval "exec $number>&-"
done
while [[ $1 != -- ]]; do echo 0 > "$1" || exit 125; shift; done
shift
exec "$@"`;

// The working directory is the agent's alone, so it is entered as the agent. The relay is no child of the program, which may
// wait for all its children, nor in its process group, which may be told to end and still talk to the model while it does.
const LISTENING = `0100007F:${GATEWAY_PORT.toString(16).toUpperCase().padStart(4, '0')} 0A`;
export const START = `relay=$1; cd "$2" || exit 125; unset OLDPWD; shift 2
[ -n "$relay" ] || exec "$@"
($relay </dev/null >/dev/null 2>&1 &)
listening() {
  while read -r _ local _ state _; do [ "$local $state" != '${LISTENING}' ] || return 0; done < /proc/net/tcp
  return 1
}
tries=0
until listening; do
  tries=$((tries + 1)); [ $tries -lt 50000 ] || { echo 'sandbox: the relay to the model gateway does not start' >&2; exit 125; }
done
exec "$@"`;

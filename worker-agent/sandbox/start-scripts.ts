// The shell on a program's way into a sandbox: outside, before the program that confines; inside, before the program itself.
// Used by bubblewrap-process.ts and oci-process.ts.

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

// relay LINES: starts what ways.ts says, and waits until it listens. A relay is no child of the program, which may wait for all its
// children, nor in its process group, which may be told to end and still talk to the model while it does: it goes its own way by
// itself, since a shell that forks takes longer.
const RELAY = `listening() {
  while read -r _ local _ state _; do [ "$local $state" != "0100007F:$1 0A" ] || return 0; done < /proc/net/tcp
  return 1
}
relay() {
  while read -r _ command; do
    $command </dev/null >/dev/null 2>&1
  done <<END
$1
END
  tries=0
  while read -r port _; do
    until listening "$port"; do
      tries=$((tries + 1)); [ $tries -lt 50000 ] || { echo 'sandbox: a relay to the outside does not start' >&2; exit 125; }
    done
  done <<END
$1
END
}`;

// The working directory is the agent's alone, so it is entered as the agent.
const ENTER = `relays=$1; cd "$2" || exit 125; unset OLDPWD; shift 2
[ -z "$relays" ] || relay "$relays"`;

// usage: sh -c START sh RELAYS DIRECTORY PROGRAM ARGUMENT…   RELAYS: lines of ways.ts
export const START = `${RELAY}
${ENTER}
exec "$@"`;

// The first process of a container, which takes in whoever loses a parent. It is of the program's process group: what is sent to that
// ends it while there is no program (the kernel drops what a first process has no trap for), and is the program's alone from then on.
// A plain sh, and no shell between it and the program: in gVisor all that a program loads at its start takes a while, and each fork.
// Some sh say on the program's stderr that it was killed; of what else it says itself nothing is to be read.
// usage: sh -c INIT sh pipe|ignore RELAYS DIRECTORY PROGRAM ARGUMENT…
const SIGNALS = 'HUP INT QUIT USR1 USR2 TERM';
export const INIT = `trap 'exit 143' ${SIGNALS}
[ "$1" = pipe ] || exec < /dev/null
shift
${RELAY}
${ENTER}
exec 3>&2 2> /dev/null
trap : ${SIGNALS}
"$@" 2>&3 3>&-
exit`;

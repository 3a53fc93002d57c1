#!/usr/bin/env bash
# Makes this machine ready to do runs of an orchestrator elsewhere: packages, user, program, and what is asked for below. As
# root; again and again is no harm. Afterwards it joins by the one command that `autocode worker invite` prints.
#   ./scripts/provision-worker.sh                  a worker of its own, as autocode-worker.service
#   ./scripts/provision-worker.sh --nomad SERVER   a client of that Nomad server, whose jobs are the workers; Nomad is there already
#     --gateway IP   the default route leads there, as to the orchestrator's host
#     --ca FILE      an authority that programs on this machine trust too; /etc/autocode/ca.crt by itself, once it has joined
#   ./scripts/provision-worker.sh --check          says what differs from that, and changes nothing; exit code 1 when something does
#   ./scripts/provision-worker.sh --uninstall      takes it all away but packages, settings, data and the user
# --prefix DIR works on the file system below DIR, as an image that is being made, and touches nothing else.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")

# Isolation gvisor needs runsc besides, which is no package: docs/sandbox.md says where it is from.
PACKAGES=(bubblewrap ca-certificates crun curl git socat)
# Each part has a function that sees whether it is as it should be, and one that makes it so.
declare -A WORDS=(
  [packages]="packages: ${PACKAGES[*]}" [program]='the program, its user and its unit (scripts/install.sh)'
  [toolchains]='/opt/toolchains' [nomad]=/etc/nomad.d/autocode.hcl [route]='the default route (autocode-route.service)'
  [authority]='the authority in the certificates of the system'
)

fail() {
  printf 'scripts/provision-worker.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

# What no script can give a machine; said before anything is changed.
require_kernel() {
  [[ -z $prefix ]] || return 0
  [[ $(stat --file-system --format=%T /sys/fs/cgroup 2> /dev/null) == cgroup2fs ]] ||
    fail 'runs need control groups of version 2. Boot with systemd.unified_cgroup_hierarchy=1 on the kernel command line (GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub and a restart)'
  [[ $(cat /proc/sys/user/max_user_namespaces 2> /dev/null || echo 0) != 0 ]] ||
    fail 'runs need user namespaces, which are off: sysctl -w user.max_user_namespaces=15000, and the same in /etc/sysctl.d/'
  [[ $(cat /proc/sys/kernel/unprivileged_userns_clone 2> /dev/null || echo 1) != 0 ]] ||
    fail 'runs need user namespaces for ordinary users: sysctl -w kernel.unprivileged_userns_clone=1, and the same in /etc/sysctl.d/'
  [[ $(cat /proc/sys/kernel/apparmor_restrict_unprivileged_userns 2> /dev/null || echo 0) == 0 ]] ||
    fail 'AppArmor keeps user namespaces from ordinary users: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, and the same in /etc/sysctl.d/'
}

packages_is() {
  local package
  for package in "${PACKAGES[@]}"; do
    dpkg-query --admindir="$prefix/var/lib/dpkg" --show --showformat='${db:Status-Status}' "$package" 2> /dev/null |
      grep -qx installed || return 1
  done
}
packages_make() {
  [[ -z $prefix ]] || fail "the file system below $prefix lacks packages; install them there first: ${PACKAGES[*]}"
  { apt-get update && apt-get install --yes --no-install-recommends "${PACKAGES[@]}"; } >&2
}

program_is() { "$root/scripts/install.sh" "${install[@]}" --check > /dev/null 2>&1; }
program_make() { "$root/scripts/install.sh" "${install[@]}" >&2; }

# More programs for runs are put here; sandbox.toolchains in /etc/autocode/worker.yaml names them.
toolchains_is() { [[ -d $prefix/opt/toolchains ]]; }
toolchains_make() { install --directory --mode=755 "$prefix/opt/toolchains"; }

nomad_is() { [[ $(nomad_wanted) == "$(cat "$nomad_file" 2> /dev/null)" ]]; }
nomad_make() {
  install --directory "$(dirname "$nomad_file")" "$prefix/mnt/data/nomad"
  nomad_wanted > "$nomad_file.new"
  mv "$nomad_file.new" "$nomad_file"
  ! booted || systemctl try-restart nomad.service
}
nomad_wanted() { sed "s|\"SERVER\"|\"$nomad\"|" "$root/nomad/client.hcl"; }

route_is() { [[ $(route_wanted) == "$(cat "$route_file" 2> /dev/null)" && -L $route_link ]]; }
route_make() {
  install --directory "$units/multi-user.target.wants"
  route_wanted > "$route_file"
  ln -sfn ../autocode-route.service "$route_link"
  ! booted || { systemctl daemon-reload && systemctl restart autocode-route.service; }
}
route_wanted() {
  cat << UNIT
# By scripts/provision-worker.sh: all that leaves this machine goes by the orchestrator's host.
[Unit]
Description=Default route of an Autocode worker
After=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip route replace default via $gateway

[Install]
WantedBy=multi-user.target
UNIT
}

authority_is() { cmp -s "$authority" "$prefix/usr/local/share/ca-certificates/autocode.crt"; }
authority_make() {
  install -D --mode=644 "$authority" "$prefix/usr/local/share/ca-certificates/autocode.crt"
  authority_update
}
authority_update() {
  if [[ -z $prefix ]]; then update-ca-certificates >&2; else chroot "$prefix" update-ca-certificates >&2 || true; fi
}

# Whether this is a machine that systemd runs, and the one to work on.
booted() { [[ -z $prefix && -d /run/systemd/system ]]; }

uninstall() {
  "$root/scripts/install.sh" "${install[@]}" --uninstall > /dev/null
  if booted && [[ -e $route_file ]]; then systemctl disable --now autocode-route.service >&2; fi
  rm -f "$nomad_file" "$route_file" "$route_link"
  [[ ! -e $prefix/opt/toolchains ]] || rmdir --ignore-fail-on-non-empty "$prefix/opt/toolchains"
  if [[ -e $prefix/usr/local/share/ca-certificates/autocode.crt ]]; then
    rm "$prefix/usr/local/share/ca-certificates/autocode.crt"
    authority_update
  fi
  echo 'removed; packages, /etc/autocode, /mnt/data and the user autocode stay'
}

main() {
  local action=provision prefix='' nomad='' gateway='' authority='' role=--worker part different=no parts
  while [[ $# -gt 0 ]]; do
    case $1 in
      --check) action=check ;;
      --uninstall) action=uninstall ;;
      --nomad) nomad=${2:?--nomad needs the address of a server} role=--runner && shift ;;
      --gateway) gateway=${2:?--gateway needs an IP address} && shift ;;
      --ca) authority=$(readlink -m "${2:?--ca needs a file}") && shift ;;
      --prefix) prefix=$(readlink -m "${2:?--prefix needs a directory}") && shift ;;
      *) sed -n '2,10s/^# *//p' "$0" >&2 && exit 2 ;;
    esac
    shift
  done
  [[ $prefix != / ]] || prefix=''
  [[ $(id -u) == 0 ]] || fail 'only root may do this: sudo ./scripts/provision-worker.sh'
  [[ -z $nomad || $nomad =~ ^[A-Za-z0-9.:-]+$ || $nomad =~ ^\[[0-9a-f:]+\]:[0-9]+$ ]] || fail "$nomad is no address of a Nomad server; write it as 10.77.0.1:4647" 2
  [[ -z $gateway || $gateway =~ ^[0-9a-f.:]+$ ]] || fail "$gateway is no IP address" 2
  [[ -z $authority || -r $authority ]] || fail "$authority cannot be read" 2
  local units=$prefix/etc/systemd/system install=("$role")
  local nomad_file=$prefix/etc/nomad.d/autocode.hcl
  local route_file=$units/autocode-route.service route_link=$units/multi-user.target.wants/autocode-route.service
  [[ -z $prefix ]] || install+=(--prefix "$prefix")

  if [[ $action == uninstall ]]; then uninstall && exit; fi
  require_kernel
  [[ -z $nomad || -n $prefix ]] || type -P nomad > /dev/null ||
    fail 'Nomad is not installed, and this does not download it: https://developer.hashicorp.com/nomad/install, 1.8 or newer, with its nomad.service'
  if [[ -z $authority && -e $prefix/etc/autocode/ca.crt ]]; then authority=$prefix/etc/autocode/ca.crt; fi
  parts=(packages program toolchains)
  [[ -z $nomad ]] || parts+=(nomad)
  [[ -z $gateway ]] || parts+=(route)
  [[ -z $authority ]] || parts+=(authority)
  umask 022
  for part in "${parts[@]}"; do
    ! "${part}_is" || continue
    different=yes
    if [[ $action == provision ]]; then "${part}_make"; fi
    echo "$action: ${WORDS[$part]}"
  done
  if [[ $action == check ]]; then
    [[ $different == no ]] || fail 'the above differs; the same call without --check makes it so'
    echo 'all is as it should be'
  elif [[ $different == yes ]]; then
    echo 'ready; next: the command that "autocode worker invite" prints where the orchestrator runs (docs/fleet.md)'
  else
    echo 'nothing to do'
  fi
}

main "$@"

#!/usr/bin/env bash
# Installs this checkout on this machine as a service of systemd. As root; again and again is no harm, and brings a newer version.
#   ./scripts/install.sh              the orchestrator: /opt/autocode, /etc/autocode, /mnt/data/autocode, autocode.service
#   ./scripts/install.sh --worker     a worker of an orchestrator elsewhere: autocode-worker.service instead
#   ./scripts/install.sh --runner     a machine whose worker is a job of Nomad: autocode-runner.service instead, with its socket
#   ./scripts/install.sh --check      says what differs from that, and changes nothing; exit code 1 when something does
#   ./scripts/install.sh --uninstall  takes the program away; settings and data stay, unless --purge is given too
# --prefix DIR works on a file system below DIR, as an image that is being made, and touches nothing else.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")

# What is installed of the checkout. The last ones are made by ./autocode setup.
CODE=(autocode package.json package-lock.json .npmrc LICENSE README.md CHANGELOG.md ARCHITECTURE.md config docs examples
  nomad orchestrator protocol proxy-addon scripts systemd telemetry vault web/dist worker-agent node_modules .runtime/node .runtime/postgres)
UNITS=(autocode.service autocode-worker.service autocode-runner.socket autocode-runner.service autocode-proxy.service
  autocode-firewall.service)
# Each part has a function that sees whether it is as it should be, and one that makes it so.
PARTS=(user code link units settings owners enabled)
declare -A WORDS=(
  [user]='the user autocode' [code]=/opt/autocode [link]=/usr/local/bin/autocode [units]=/etc/systemd/system/autocode*.service
  [settings]='the settings in /etc/autocode' [owners]='who owns /etc/autocode and /mnt/data/autocode' [enabled]='the start with the machine'
)
# Where a unit finds programs.
SERVICE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

fail() {
  printf 'scripts/install.sh: %s\n' "$1" >&2
  exit "${2:-1}"
}

user_is() { grep -qs '^autocode:' "$prefix/etc/passwd"; }
user_make() {
  mkdir -p "$prefix/etc"
  systemd-sysusers --root="${prefix:-/}" "$root/systemd/autocode.sysusers"
}

code_is() {
  local path
  for path in "${CODE[@]}"; do
    [[ ! -e $root/$path ]] || diff -rq --no-dereference "$root/$path" "$opt/$path" > /dev/null 2>&1 || return 1
  done
}
code_make() {
  local path present=()
  refuse_running
  "$root/autocode" setup > /dev/null
  for path in "${CODE[@]}"; do [[ ! -e $root/$path ]] || present+=("$path"); done
  rm -rf "$opt.new"
  mkdir -p "$opt.new"
  tar -C "$root" -cf - "${present[@]}" | tar -C "$opt.new" -xf - --no-same-owner
  chmod -R u+w,a+rX,go-w "$opt.new"
  env PATH="$SERVICE_PATH" "$opt.new/autocode" setup > /dev/null
  # A stop between the next two leaves no program, which the next call puts there.
  rm -rf "$opt.old"
  [[ ! -e $opt ]] || mv "$opt" "$opt.old"
  mv "$opt.new" "$opt"
  rm -rf "$opt.old"
}

link_is() { [[ $(readlink "$prefix/usr/local/bin/autocode") == /opt/autocode/autocode ]]; }
link_make() {
  mkdir -p "$prefix/usr/local/bin"
  ln -sfn /opt/autocode/autocode "$prefix/usr/local/bin/autocode"
}

units_is() {
  local unit
  for unit in "${UNITS[@]}"; do cmp -s "$root/systemd/$unit" "$units/$unit" || return 1; done
}
units_make() {
  install -D --mode=644 -t "$units" "${UNITS[@]/#/$root/systemd/}"
  ! booted || systemctl daemon-reload
}

# Settings are the machine's own once they are there.
settings_is() {
  local file
  for file in "${settings[@]}"; do [[ -e $prefix/etc/autocode/$file ]] || return 1; done
}
settings_make() {
  local file
  mkdir -p "$prefix/etc/autocode"
  for file in "${settings[@]}"; do
    [[ -e $prefix/etc/autocode/$file ]] || install --mode=640 "$root/systemd/$file" "$prefix/etc/autocode/$file"
  done
}

owners_is() {
  local uid gid
  IFS=: read -r _ _ uid gid _ < <(grep -s '^autocode:' "$prefix/etc/passwd") &&
    [[ $(stat -c %u:%g "$prefix/mnt/data/autocode" 2>&1) == "$uid:$gid" ]] &&
    [[ $(stat -c %a:%u:%g "$prefix/etc/autocode" 2>&1) == "750:0:$gid" ]] &&
    [[ -z $(find "$prefix/etc/autocode" -type f \( ! -perm 640 -o ! -gid "$gid" \)) ]]
}
owners_make() { systemd-tmpfiles --create --root="${prefix:-/}" "$root/systemd/autocode.tmpfiles"; }

starts() { systemctl --root="${prefix:-/}" is-enabled --quiet "$1" 2> /dev/null; }
enabled_is() { starts "$service"; }
enabled_make() {
  # They would be over one directory.
  local other=''
  if [[ $service == autocode-worker.service ]]; then other=autocode-runner.service; fi
  if [[ $service == autocode-runner.service ]]; then other=autocode-worker.service; fi
  [[ -z $other ]] || ! starts "$other" ||
    fail "$other is enabled here, and a machine has that or $service: systemctl disable --now $other"
  systemctl --root="${prefix:-/}" --quiet enable "$service"
}

# Whether this is a machine that systemd runs, and the one to work on.
booted() { [[ -z $prefix && -d /run/systemd/system ]]; }

# A program whose files are replaced under it would load half of the old version and half of the new.
refuse_running() {
  local unit state
  booted || return 0
  for unit in "${UNITS[@]}"; do
    [[ $unit != autocode-firewall.service ]] || continue # nothing of it runs: it stands for rules
    state=$(systemctl show --property=ActiveState --value "$unit")
    [[ $state == inactive || $state == failed ]] ||
      fail "$unit is $state. Let its runs end (autocode drain start --wait), stop it (systemctl stop $unit), and call this again"
  done
}

uninstall() {
  refuse_running
  systemctl --root="${prefix:-/}" --quiet disable "${UNITS[@]}" 2> /dev/null || true # never enabled
  rm -rf "${UNITS[@]/#/$units/}" "$prefix/usr/local/bin/autocode" "$opt" "$opt.new" "$opt.old" "$prefix/var/cache/autocode"
  ! booted || systemctl daemon-reload
  if [[ $purge == yes ]]; then
    # The data directory may be where a disk is mounted.
    [[ ! -d $prefix/mnt/data/autocode ]] || find "$prefix/mnt/data/autocode" -mindepth 1 -delete
    rm -rf "$prefix/etc/autocode"
    echo 'removed, with settings and data; the user autocode stays'
  else
    echo 'removed; /etc/autocode, /mnt/data/autocode and the user autocode stay'
  fi
}

main() {
  local action=install purge=no prefix='' service=autocode.service settings=(autocode.yaml) part different=no
  while [[ $# -gt 0 ]]; do
    case $1 in
      --check) action=check ;;
      --uninstall) action=uninstall ;;
      --purge) purge=yes ;;
      --worker) service=autocode-worker.service settings+=(worker.yaml worker.env) ;;
      --runner) service=autocode-runner.service settings+=(worker.yaml worker.env) ;;
      --prefix) prefix=$(readlink -m "${2:?--prefix needs a directory}") && shift ;;
      *) sed -n '2,8s/^# *//p' "$0" >&2 && exit 2 ;;
    esac
    shift
  done
  [[ $prefix != / ]] || prefix=''
  [[ $purge == no || $action == uninstall ]] || fail '--purge goes with --uninstall' 2
  local opt=$prefix/opt/autocode units=$prefix/etc/systemd/system
  [[ $(id -u) == 0 ]] || fail 'only root may do this: sudo ./scripts/install.sh'
  type -P systemctl systemd-sysusers systemd-tmpfiles systemd-notify > /dev/null || fail 'systemd is not installed: apt install systemd'
  [[ $root != "$(readlink -m "$opt")" ]] || [[ $action == uninstall ]] || fail 'this is what is installed; call it from a checkout of its own'

  if [[ $action == uninstall ]]; then uninstall && exit; fi
  umask 022
  for part in "${PARTS[@]}"; do
    ! "${part}_is" || continue
    different=yes
    if [[ $action == install ]]; then "${part}_make"; fi
    echo "$action: ${WORDS[$part]}"
  done
  if [[ $action == check ]]; then
    [[ $different == no ]] || fail 'the above differs from this checkout; ./scripts/install.sh makes it so'
    echo 'all is as this checkout has it'
  elif [[ $different == yes ]]; then
    echo "installed; next: systemctl start ${service%.service} (docs/install.md)"
  else
    echo 'nothing to do'
  fi
}

main "$@"

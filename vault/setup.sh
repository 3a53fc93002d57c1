#!/usr/bin/env bash
# Puts a Vault for Autocode on this machine into operation: user, configuration, certificate, unit; then `autocode secret setup`.
# As root; may be called again, and finishes what a call before has left. Needs the program `vault` (or `bao`, linked to it).
#   vault/setup.sh [--worker-address IP] [WORD OF autocode secret setup...]
# Without --worker-address it is bound to loopback alone. The key shares are shown once, at the end: see docs/secrets.md first.
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
config=/etc/autocode/autocode.yaml
target=/etc/autocode-vault
kept=/mnt/data/autocode/config/vault

fail() {
  printf 'vault/setup.sh: %s\n' "$1" >&2
  exit 1
}

worker=
if [[ ${1:-} == --worker-address ]]; then
  worker=${2:?an IP address is missing}
  shift 2
fi
[[ $(id -u) == 0 ]] || fail 'only root may do this'
command -v vault > /dev/null || fail 'the program vault is not installed: https://developer.hashicorp.com/vault/install'
[[ -f $config ]] || fail "$config is missing: call scripts/install.sh first"
grep -q '^ *address: https://' "$config" ||
  fail "let secrets.kind be vault, and secrets.vault.address and caFile be set in $config (docs/secrets.md)"

as_autocode() { runuser -u autocode -- autocode "$@" --config "$config"; }

systemd-sysusers "$root/systemd/autocode-vault.sysusers"
as_autocode secret setup --certificates
install -d --mode=0700 --owner=autocode-vault --group=autocode-vault /mnt/data/autocode/vault-data
install -d --mode=0750 --owner=root --group=autocode-vault "$target"
install --mode=0640 --owner=root --group=autocode-vault "$kept/server.crt" "$kept/server.key" "$target"
if [[ ! -e $target/server.hcl ]]; then
  host=$(hostname --fqdn)
  # Without a network of workers the second listener is left out.
  if [[ -n $worker ]]; then
    sed -e "s/@WORKERS@/$worker/g" -e "s/@HOST@/$host/g" "$root/vault/server.hcl"
  else
    sed -e '/^listener/{:a;N;/\n}/!ba;/@WORKERS@/d}' -e "s/@HOST@/$host/g" "$root/vault/server.hcl"
  fi > "$target/server.hcl.new"
  chown root:autocode-vault "$target/server.hcl.new"
  chmod 0640 "$target/server.hcl.new"
  mv "$target/server.hcl.new" "$target/server.hcl"
fi
install --mode=0644 -t /etc/systemd/system "$root/systemd/autocode-vault.service"
systemctl daemon-reload
systemctl enable --quiet autocode-vault.service
systemctl reload-or-restart autocode-vault.service
for _ in {1..100}; do
  ! (exec 3<> /dev/tcp/127.0.0.1/8200) 2> /dev/null || break
  sleep 0.1
done
as_autocode secret setup "$@"

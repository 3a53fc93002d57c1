# Vault for one installation of Autocode, as vault/setup.sh puts it to /etc/autocode-vault/server.hcl, with names and addresses
# of the machine filled in. More: docs/secrets.md.

storage "file" {
  path = "/mnt/data/autocode/vault-data"
}

# Bound to loopback and to the network of the workers, and to nothing else.
listener "tcp" {
  address         = "127.0.0.1:8200"
  cluster_address = "127.0.0.1:8201"
  tls_cert_file   = "/etc/autocode-vault/server.crt"
  tls_key_file    = "/etc/autocode-vault/server.key"
  tls_min_version = "tls12"
}

listener "tcp" {
  address         = "@WORKERS@:8200"
  cluster_address = "@WORKERS@:8201"
  tls_cert_file   = "/etc/autocode-vault/server.crt"
  tls_key_file    = "/etc/autocode-vault/server.key"
  tls_min_version = "tls12"
}

api_addr     = "https://@HOST@:8200"
cluster_addr = "https://@HOST@:8201"

ui = true

# OpenBao makes audit devices through its API only when told so; Vault knows no such word and warns of it.
unsafe_allow_api_audit_creation = true

# What the daemon may: the secrets of this installation, and its own credentials.
path "secret/data/*" {
  capabilities = ["create", "read", "update"]
}
path "secret/metadata/*" {
  capabilities = ["read", "list", "delete"]
}

# It replaces its own secret id every day.
path "auth/approle/role/autocode-orchestrator/role-id" {
  capabilities = ["read"]
}
path "auth/approle/role/autocode-orchestrator/secret-id" {
  capabilities = ["update", "list"]
}
path "auth/approle/role/autocode-orchestrator/secret-id-accessor/destroy" {
  capabilities = ["update"]
}

# What it hands to a worker it cannot see itself: the answer comes wrapped, or not at all.
path "auth/approle/role/autocode-worker/role-id" {
  capabilities = ["read"]
}
path "auth/approle/role/autocode-worker/secret-id" {
  capabilities     = ["update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "10m"
}

# What a person may who looks after this Vault: all secrets, and all that `autocode secret setup` puts there.
path "secret/*" {
  capabilities = ["create", "read", "update", "delete", "list"]
}
path "sys/mounts" {
  capabilities = ["read"]
}
path "sys/mounts/secret" {
  capabilities = ["create", "read", "update"]
}
path "sys/policies/acl/autocode-*" {
  capabilities = ["create", "read", "update", "delete", "list"]
}
path "sys/auth" {
  capabilities = ["read"]
}
path "sys/auth/approle" {
  capabilities = ["create", "update", "sudo"]
}
path "auth/approle/role/autocode-*" {
  capabilities = ["create", "read", "update", "delete", "list"]
}
path "sys/audit" {
  capabilities = ["read", "sudo"]
}
path "sys/audit/autocode" {
  capabilities = ["create", "update", "sudo"]
}
path "sys/seal" {
  capabilities = ["update", "sudo"]
}

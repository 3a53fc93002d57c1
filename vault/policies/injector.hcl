# What the egress proxy may: read the secrets that it puts in place of placeholders. It lists, writes and removes nothing.
path "secret/data/*" {
  capabilities = ["read"]
}

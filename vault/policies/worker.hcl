# What a worker may: read what is there for workers, and nothing of the rest.
path "secret/data/workers/*" {
  capabilities = ["read"]
}

# What the orchestrator may do in Nomad: `nomad acl policy apply autocode nomad/policy.hcl`, then
# `nomad acl token create -name autocode -policy autocode`. Change the namespace where nomad.namespace is another.
namespace "default" {
  capabilities = [
    "list-jobs",
    "parse-job",
    "read-job",
    "submit-job",
    "dispatch-job",
    "scale-job",
    "read-logs",
    "alloc-lifecycle",
  ]
  # The token of the workers.
  variables {
    path "nomad/jobs/autocode-worker" {
      capabilities = ["read", "write"]
    }
    path "nomad/jobs/autocode-run" {
      capabilities = ["read", "write"]
    }
  }
}
# The program and the socket of the runner service, on the VMs.
host_volume "autocode" {
  policy = "read"
}
host_volume "autocode-runner" {
  policy = "write"
}
# `worker drain --node`.
node {
  policy = "write"
}

# Nomad's client on a VM, for the jobs in nomad/jobs. scripts/provision-worker.sh --nomad SERVER puts it into /etc/nomad.d, with
# SERVER in its place.
data_dir  = "/mnt/data/nomad"
bind_addr = "0.0.0.0"

acl {
  enabled = true
}

client {
  enabled = true
  servers = ["SERVER"]

  # What a claimer needs of this machine, and nothing else of it.
  chroot_env {
    "/bin"                    = "/bin"
    "/lib"                    = "/lib"
    "/lib64"                  = "/lib64"
    "/usr"                    = "/usr"
    "/etc/group"              = "/etc/group"
    "/etc/hosts"              = "/etc/hosts"
    "/etc/ld.so.cache"        = "/etc/ld.so.cache"
    "/etc/nsswitch.conf"      = "/etc/nsswitch.conf"
    "/etc/passwd"             = "/etc/passwd"
    "/etc/resolv.conf"        = "/etc/resolv.conf"
    "/etc/ssl"                = "/etc/ssl"
  }

  # The program, and the socket of the runner service.
  host_volume "autocode" {
    path      = "/opt/autocode"
    read_only = true
  }
  host_volume "autocode-runner" {
    path = "/run/autocode-runner"
  }

  # A worker that is told to end gets as long as its job says.
  max_kill_timeout = "2m"
}

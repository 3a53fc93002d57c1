# Workers as a service of Nomad: one on each VM. `autocode worker deploy` submits it with the variables below and tells what
# they change; the token and the authority's certificate come from the Nomad variable nomad/jobs/<id of the job>.
#
# The task only claims runs. What starts them and keeps them alive is the runner service of the VM (autocode-runner.socket),
# which the task reaches by the host volume `autocode-runner`; `autocode` is the program, at /opt/autocode.

variable "job" {
  type    = string
  default = "autocode-worker"
}
variable "datacenters" {
  type    = list(string)
  default = ["dc1"]
}
variable "count" {
  type    = number
  default = 4
}
variable "url" {
  description = "Address of the orchestrator, as the VMs reach it."
  type        = string
}
variable "authority" {
  description = "Whether the Nomad variable holds the certificate of the authority that workers trust at the orchestrator."
  type        = bool
  default     = false
}
variable "agent" {
  description = "The only agent that these workers offer; all that are installed when empty."
  type        = string
  default     = ""
}
variable "project" {
  description = "The only project whose tasks they take; any when empty."
  type        = string
  default     = ""
}
variable "daily_budget" {
  description = "What the runs of each may spend a day, in the ledger currency; no limit of its own when empty."
  type        = string
  default     = ""
}
variable "concurrency" {
  description = "Runs at a time on each."
  type        = number
  default     = 2
}
variable "version" {
  description = "Of Autocode. Another one replaces the workers one by one."
  type        = string
  default     = ""
}
variable "user" {
  description = "Who may use the socket of the runner service."
  type        = string
  default     = "autocode"
}
variable "cores" {
  type    = number
  default = 4
}
variable "memory" {
  description = "In MiB."
  type        = number
  default     = 2048
}
variable "memory_max" {
  type    = number
  default = 3072
}

job "autocode-worker" {
  datacenters = var.datacenters
  type        = "service"

  meta {
    agent        = var.agent
    project      = var.project
    daily_budget = var.daily_budget
    version      = var.version
  }

  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }

  # A new version takes the place of the old one VM by VM; where it does not come up, all go back to the one before.
  update {
    max_parallel      = 1
    health_check      = "checks"
    min_healthy_time  = "10s"
    healthy_deadline  = "2m"
    progress_deadline = "0" # the first that is not healthy ends it
    auto_revert       = true
  }
  migrate {
    max_parallel     = 1
    health_check     = "checks"
    min_healthy_time = "10s"
    healthy_deadline = "2m"
  }

  group "agent" {
    count = var.count

    constraint {
      operator = "distinct_hosts"
      value    = "true"
    }

    # A VM that is cut off keeps its runs: each ends itself after lease.selfStopMinutes (15) without the orchestrator. No second
    # worker takes its place before, and its own goes on when it is back. With stop_on_client_after in the place of lost_after Nomad
    # ends the worker of every VM that was out of sight, and starts none there until that time is over.
    disconnect {
      lost_after = "20m"
      replace    = false
      reconcile  = "keep_original"
    }
    restart {
      attempts = 2
      interval = "5m"
      delay    = "5s"
      mode     = "fail"
    }
    reschedule {
      delay          = "10s"
      delay_function = "exponential"
      max_delay      = "10m"
      unlimited      = true
    }

    network {
      port "health" {}
    }
    # Healthy is a worker that is registered with the orchestrator and has the seat at its runner service.
    service {
      name     = "autocode-worker"
      provider = "nomad"
      port     = "health"
      check {
        name     = "registered"
        type     = "http"
        path     = "/health"
        interval = "5s"
        timeout  = "2s"
      }
    }

    volume "autocode" {
      type      = "host"
      source    = "autocode"
      read_only = true
    }
    volume "autocode-runner" {
      type   = "host"
      source = "autocode-runner"
    }

    task "claimer" {
      driver = "exec"
      user   = var.user

      config {
        command = "/opt/autocode/systemd/start-worker"
        args = [
          "--runner-socket", "/run/autocode-runner/socket",
          "--token-file", "${NOMAD_SECRETS_DIR}/worker-token",
          "--concurrency", "${var.concurrency}",
          "--health-address", "${NOMAD_ADDR_health}",
        ]
      }
      env {
        AUTOCODE_URL                 = var.url
        AUTOCODE_CA_FILE             = var.authority ? "${NOMAD_TASK_DIR}/ca.crt" : ""
        AUTOCODE_WORKER_NAME         = "${node.unique.name}"
        AUTOCODE_WORKER_PROJECT      = var.project
        AUTOCODE_WORKER_DAILY_BUDGET = var.daily_budget
        AUTOCODE_WORKER_AGENT        = "${NOMAD_META_agent}"
        AUTOCODE_WORKER_PLACEMENT    = "service"
        NODE_COMPILE_CACHE           = "/run/autocode-runner/compile"
      }
      volume_mount {
        volume      = "autocode"
        destination = "/opt/autocode"
        read_only   = true
      }
      volume_mount {
        volume      = "autocode-runner"
        destination = "/run/autocode-runner"
      }

      # Read anew with each registration: a new token needs no restart. Nothing but this task has this directory.
      template {
        destination = "${NOMAD_SECRETS_DIR}/worker-token"
        data        = "{{ with nomadVar \"nomad/jobs/${var.job}\" }}{{ .token }}{{ end }}"
        perms       = "0444"
        change_mode = "noop"
      }
      template {
        destination = "${NOMAD_TASK_DIR}/ca.crt"
        data        = "{{ with nomadVar \"nomad/jobs/${var.job}\" }}{{ index . \"ca\" }}{{ end }}"
        perms       = "0444"
        change_mode = "restart"
      }

      # A claim that is under way is handed over to the runner service first; runs go on without it.
      kill_signal  = "SIGTERM"
      kill_timeout = "60s"

      resources {
        cores      = var.cores
        memory     = var.memory
        memory_max = var.memory_max
      }
      logs {
        max_files     = 3
        max_file_size = 5
      }
    }
  }
}

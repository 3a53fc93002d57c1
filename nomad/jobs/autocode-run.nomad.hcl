# One allocation for one run: Nomad makes a VM busy only while there is work, and none runs in between. Submitted once by
# `autocode worker deploy --mode dispatch`; the orchestrator dispatches it for each run that is to be placed so. As in the job
# autocode-worker the task only claims: the run itself is started by the runner service of the VM, and outlives the task.

variable "job" {
  type    = string
  default = "autocode-run"
}
variable "datacenters" {
  type    = list(string)
  default = ["dc1"]
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
variable "version" {
  description = "Of Autocode. It counts for runs that are dispatched from then on."
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

job "autocode-run" {
  datacenters = var.datacenters
  type        = "batch"

  parameterized {
    payload       = "forbidden"
    meta_required = ["task"]
    meta_optional = ["agent", "project"]
  }
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

  group "agent" {
    count = 1

    # The orchestrator decides about another try, as for every run; a second allocation would claim a second run.
    restart {
      attempts = 0
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }
    disconnect {
      lost_after = "20m"
      replace    = false
      reconcile  = "keep_original"
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
        ]
      }
      env {
        AUTOCODE_URL                 = var.url
        AUTOCODE_CA_FILE             = var.authority ? "${NOMAD_TASK_DIR}/ca.crt" : ""
        AUTOCODE_WORKER_NAME         = "dispatch-${NOMAD_SHORT_ALLOC_ID}"
        AUTOCODE_WORKER_PROJECT      = "${NOMAD_META_project}"
        AUTOCODE_WORKER_DAILY_BUDGET = var.daily_budget
        AUTOCODE_WORKER_AGENT        = "${NOMAD_META_agent}"
        AUTOCODE_WORKER_PLACEMENT    = "dispatch"
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

      # Nothing but this task has this directory.
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
        change_mode = "noop"
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

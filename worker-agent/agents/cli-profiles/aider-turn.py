# Runs aider for one turn and tells what it does as JSON lines on stdout, since aider itself prints text alone and exits
# with 0 when the model failed. Written into the run's HOME by aider.ts; everything else is aider's own command line.
# usage: python3 -I aider-turn.py SITE_DIRECTORY (--version | aider's arguments)
import importlib.metadata
import json
import os
import re
import subprocess
import sys

site = sys.argv.pop(1)
sys.path.insert(0, site)
if sys.argv[1:] == ["--version"]:
    [aider] = importlib.metadata.distributions(name="aider-chat", path=[site])
    print(aider.version)
    sys.exit(0)

# What aider prints itself goes nowhere: it is told by the hooks below.
out = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def say(kind, **more):
    print(json.dumps({"type": kind, **more}), file=out, flush=True)


def end_with(kind, message):
    say(kind, message=str(message))
    sys.exit(1)


from aider.analytics import Analytics  # noqa: E402
from aider.coders import base_coder  # noqa: E402
from aider.coders.base_coder import Coder  # noqa: E402
from aider.io import InputOutput  # noqa: E402
from aider.main import main  # noqa: E402
from aider.repomap import RepoMap  # noqa: E402
from litellm.llms.openai import openai  # noqa: E402

# Beside the sources it would become a part of the change.
RepoMap.TAGS_CACHE_DIR = os.path.join(os.path.expanduser("~"), ".aider", "tags")
# Seconds until the pause between two tries is the last one; it doubles each time, from an eighth.
base_coder.RETRY_TIMEOUT = 4


def hook(owner, name):
    """Replaces a method by one that gets the old one first."""

    def replace(wrapper):
        original = getattr(owner, name)
        setattr(owner, name, lambda *given, **named: wrapper(original, *given, **named))

    return replace


@hook(InputOutput, "assistant_output")
def _(original, self, message, *given, **named):
    say("assistant", text=message or "")
    original(self, message, *given, **named)


@hook(InputOutput, "_tool_message")
def _(original, self, message="", *given, **named):
    say("output", text=str(message))
    original(self, message, *given, **named)


@hook(InputOutput, "tool_output")
def _(original, self, *messages, **named):
    if messages:
        say("output", text=" ".join(str(message) for message in messages))
    original(self, *messages, **named)


@hook(Coder, "calculate_and_show_tokens_and_cost")
def _(original, self, messages, completion=None):
    usage = getattr(completion, "usage", None)
    if usage is not None:
        details = getattr(usage, "prompt_tokens_details", None)
        cached = getattr(details, "cached_tokens", None) or 0
        say("usage", input=usage.prompt_tokens, cached=cached, output=usage.completion_tokens)
    original(self, messages, completion)


# A work tree of several repositories is none itself: aider works without git there, and knows the files of all by
# these hooks.
alone = os.path.exists(".git")
places = [] if alone else [name for name in sorted(os.listdir()) if os.path.exists(f"{name}/.git")]
if places:
    sys.argv.append("--no-git")

    def tracked(place):
        listed = subprocess.run(["git", "-C", place, "ls-files", "-z"], capture_output=True, check=True).stdout
        return [f"{place}/{os.fsdecode(name)}" for name in listed.split(b"\0") if name]

    @hook(Coder, "get_all_relative_files")
    def _(original, self):
        return sorted({*original(self), *(name for place in places for name in tracked(place))})

    @hook(Coder, "__init__")
    def _(original, self, main_model, io, *given, **named):
        original(self, main_model, io, *given, **named)
        self.repo_map = RepoMap(1024, self.root, main_model, io, self.gpt_prompts.repo_content_prefix)


def refused(error):
    status = getattr(error, "status_code", None)
    words = re.sub(r"^([\w.]+(Error|Exception)(: | - ))+", "", getattr(error, "message", None) or str(error))
    end_with("failed", f"{status} {words}" if status else words)


# The ways in which a turn fails, each of which aider survives.
@hook(Coder, "check_and_open_urls")
def _(original, self, error, friendly=None):
    refused(error)


# For the status 422 alone: the same call is made again, and then there is neither answer nor error.
@hook(openai, "drop_params_from_unprocessable_entity_error")
def _(original, error, *given, **named):
    refused(error)


@hook(Analytics, "event")
def _(original, self, name, **properties):
    if name == "message_send_exception":
        end_with("failed", properties.get("exception"))


@hook(Coder, "show_exhausted_error")
def _(original, self):
    end_with("limit", "the conversation does not fit into the model's context")


status = main()
if status:
    end_with("failed", f"aider ended with status {status}")
say("done")

# A stand-in for vLLM's Python interface as far as ray_serve_app.py uses it (AsyncLLMEngine of 0.32), for replicas without weights:
# it says the words of the prompt again, one a token. Used by ray-serve.test.ts, which puts it on the cluster's PYTHONPATH.
import asyncio
import os
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, AsyncIterator

from .exceptions import VLLMClientError
from .sampling_params import SamplingParams

__all__ = ["AsyncEngineArgs", "AsyncLLMEngine", "SamplingParams"]


@dataclass
class AsyncEngineArgs:
    model: str
    served_model_name: str
    max_model_len: int
    max_num_seqs: int
    tensor_parallel_size: int
    gpu_memory_utilization: float
    enable_prefix_caching: bool = True


class Tokenizer:
    def apply_chat_template(self, messages: list[dict[str, str]], tokenize: bool, add_generation_prompt: bool) -> str:
        assert not tokenize and add_generation_prompt
        return " ".join(f"<{message['role']}> {message['content']}" for message in messages)

    def encode(self, text: str, add_special_tokens: bool = True) -> list[str]:
        return text.split()


@dataclass
class Output:
    prompt_token_ids: list[str]
    outputs: list[Any] = field(default_factory=list)


class AsyncLLMEngine:
    def __init__(self, args: AsyncEngineArgs, loggers: list[Any]) -> None:
        self.args = args
        self.loggers = [logger(args.served_model_name) for logger in loggers]
        self.model_config = SimpleNamespace(get_diff_sampling_param=lambda: {"temperature": 0.7})

    @classmethod
    def from_engine_args(cls, args: AsyncEngineArgs, stat_loggers: list[Any]) -> "AsyncLLMEngine":
        if args.model.endswith("/absent"):
            raise OSError(f"Can't load the configuration of '{args.model}': no config.json there.")
        if args.model.endswith("/too-large"):
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 23.68 GiB.")
        return cls(args, stat_loggers)

    def get_tokenizer(self) -> Tokenizer:
        return Tokenizer()

    async def check_health(self) -> None:
        pass

    async def generate(self, prompt: dict[str, Any], parameters: SamplingParams, request_id: str) -> AsyncIterator[Output]:
        words = prompt.get("prompt_token_ids") or Tokenizer().encode(prompt["prompt"])
        room = self.args.max_model_len - len(words)
        if room <= 0:
            raise VLLMClientError(f"The prompt has {len(words)} tokens, and the model takes {self.args.max_model_len}.")
        tokens = min(room, parameters.max_tokens or len(words))
        try:
            for at in range(tokens):
                await asyncio.sleep(parameters.seconds_a_token)
                for logger in self.loggers:
                    logger.token()
                reason = None if at + 1 < tokens else "length"
                word = words[at % len(words)].upper() if parameters.temperature == 0 else words[at % len(words)]
                piece = SimpleNamespace(text=f"{word} ", token_ids=[at], finish_reason=reason)
                yield Output(words, [piece])
        finally:
            with open(os.environ["STAND_IN_LOG"], "a") as log:
                log.write(f"{request_id} ended by process {os.getpid()}\n")

# A model on one GPU as an application of Ray Serve: replicas with one engine of vLLM each, spoken to as OpenAI's interface is.
# ray-serve.ts uploads it to the cluster and declares it; it needs Ray and vLLM there, and nothing else of Autocode.
import json
import time
import uuid
from typing import Any, AsyncIterator

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel
from ray import serve

api = FastAPI()

# As OpenAI has it, for /v1/completions alone: an answer of a chat ends where the model or the context ends it.
COMPLETION_TOKENS = 16
SAMPLING = ("temperature", "top_p", "stop", "seed", "presence_penalty", "frequency_penalty")


class Prompt(BaseModel):
    prompt: str
    max_tokens: int = COMPLETION_TOKENS


class Asked(BaseModel):
    """What both interfaces have in common; fields that are not here are let pass and change nothing."""

    temperature: float | None = None
    top_p: float | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    n: int = 1
    stream: bool = False
    stream_options: dict[str, Any] | None = None


class Completion(Asked):
    prompt: str
    max_tokens: int = COMPLETION_TOKENS


class Chat(Asked):
    messages: list[dict[str, Any]]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    tools: list[Any] | None = None


class Refused(Exception):
    """A request that cannot be answered as it was asked."""


@api.exception_handler(Refused)
@api.exception_handler(RequestValidationError)
async def refused(_request: Any, error: Exception) -> JSONResponse:
    body = {"message": str(error), "type": "invalid_request_error", "code": None}
    return JSONResponse({"error": body}, status_code=400)


async def whole(pieces: AsyncIterator[Any]) -> tuple[str, str | None, dict[str, int]]:
    """Text, reason of its end, and usage."""
    text, finish_reason, prompt_tokens, tokens = "", None, 0, 0
    async for output in pieces:
        piece = output.outputs[0]
        text, finish_reason = text + piece.text, piece.finish_reason
        prompt_tokens, tokens = len(output.prompt_token_ids or ()), tokens + len(piece.token_ids)
    return text, finish_reason, used(prompt_tokens, tokens)


async def streamed(
    head: dict[str, Any], chat: bool, include_usage: bool, first: Any, rest: AsyncIterator[Any]
) -> AsyncIterator[str]:
    """The answer as events. When the client goes away it is closed, and vLLM ends the request."""
    kind = "chat.completion.chunk" if chat else "text_completion"

    def event(choices: list[dict[str, Any]], **more: Any) -> str:
        return f"data: {json.dumps({**head, 'object': kind, 'choices': choices, **more})}\n\n"

    if chat:
        yield event([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    output, prompt_tokens, tokens = first, len(first.prompt_token_ids or ()), 0
    while output is not None:
        piece = output.outputs[0]
        tokens += len(piece.token_ids)
        content = {"delta": {"content": piece.text}} if chat else {"text": piece.text}
        yield event([{"index": 0, **content, "finish_reason": piece.finish_reason}])
        output = await anext(rest, None)
    if include_usage:
        yield event([], usage=used(prompt_tokens, tokens))
    yield "data: [DONE]\n\n"


def used(prompt_tokens: int, tokens: int) -> dict[str, int]:
    return {"prompt_tokens": prompt_tokens, "completion_tokens": tokens, "total_tokens": prompt_tokens + tokens}


def chosen(asked: Asked, max_tokens: int | None) -> dict[str, Any]:
    """The sampling parameters that the request names."""
    named = {name: getattr(asked, name) for name in SAMPLING if getattr(asked, name) is not None}
    return {**named, "max_tokens": max_tokens}


def plain(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    for part in content:
        if part.get("type") != "text":
            raise Refused(f"Only text is understood, and not: {part.get('type')}.")
    return "".join(part["text"] for part in content)


# Below all that it uses: Ray takes the module as it is at this point.
@serve.deployment
@serve.ingress(api)
class Model:
    """One replica. `served`: the model's name in answers; `engine`: arguments of vLLM's engine."""

    async def __init__(self, served: str, engine: dict[str, Any]) -> None:
        # Imported here: only replicas have vLLM, and it takes seconds.
        from vllm import AsyncEngineArgs, AsyncLLMEngine
        from vllm.v1.metrics.ray_wrappers import RayPrometheusStatLogger

        self.served = served
        self.sampling: dict[str, Any] = {}
        arguments = AsyncEngineArgs(served_model_name=served, **engine)
        self.engine = AsyncLLMEngine.from_engine_args(arguments, stat_loggers=[RayPrometheusStatLogger])
        # What the model's own generation_config.json says.
        self.own_sampling = self.engine.model_config.get_diff_sampling_param()

    def reconfigure(self, config: dict[str, Any]) -> None:
        """Called with the deployment's `user_config`, also when it changes: no replica is started anew for that."""
        self.sampling = config.get("sampling", {})

    async def check_health(self) -> None:
        """Raises when the engine is dead; Ray then replaces the replica."""
        await self.engine.check_health()

    async def generate(self, prompt: str, max_tokens: int = COMPLETION_TOKENS) -> dict[str, Any]:
        """The text that follows the prompt; for other applications of the cluster by a handle, too."""
        text, finish_reason, usage = await whole(self._pieces({"prompt": prompt}, {"max_tokens": max_tokens}))
        return {"text": text, "finish_reason": finish_reason, "usage": usage}

    @api.post("/generate")
    async def generate_over_http(self, asked: Prompt) -> dict[str, Any]:
        return await self.generate(asked.prompt, asked.max_tokens)

    @api.get("/v1/models")
    async def models(self) -> dict[str, Any]:
        return {"object": "list", "data": [{"id": self.served, "object": "model", "owned_by": "autocode"}]}

    @api.post("/v1/completions")
    async def completions(self, asked: Completion) -> Any:
        pieces = self._pieces({"prompt": asked.prompt}, chosen(asked, asked.max_tokens))
        return await self._answer(asked, pieces, chat=False)

    @api.post("/v1/chat/completions")
    async def chat_completions(self, asked: Chat) -> Any:
        if asked.tools:
            raise Refused("This application calls no tools: give the model a toolCallParser in the catalogue.")
        tokenizer = self.engine.get_tokenizer()
        messages = [{**message, "content": plain(message.get("content"))} for message in asked.messages]
        try:
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except Exception as error:  # a template raises what it likes, as for roles that do not alternate
            raise Refused(f"The model's chat template does not take these messages: {error}") from error
        # As tokens: the template has written the special ones already.
        prompt = {"prompt_token_ids": tokenizer.encode(text, add_special_tokens=False)}
        limit = asked.max_completion_tokens or asked.max_tokens
        return await self._answer(asked, self._pieces(prompt, chosen(asked, limit)), chat=True)

    async def _pieces(self, prompt: dict[str, Any], asked: dict[str, Any]) -> AsyncIterator[Any]:
        from vllm import SamplingParams
        from vllm.exceptions import VLLMClientError
        from vllm.sampling_params import RequestOutputKind

        wanted = {**self.own_sampling, **self.sampling, **asked}
        try:
            parameters = SamplingParams(output_kind=RequestOutputKind.DELTA, **wanted)
            async for output in self.engine.generate(prompt, parameters, uuid.uuid4().hex):
                yield output
        except (ValueError, VLLMClientError) as error:
            raise Refused(str(error)) from error

    async def _answer(self, asked: Asked, pieces: AsyncIterator[Any], chat: bool) -> Any:
        if asked.n != 1:
            raise Refused("n: one answer at a time.")
        head = {
            "id": f"{'chatcmpl' if chat else 'cmpl'}-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": self.served,
        }
        if asked.stream:
            # The first piece before the first byte: what vLLM refuses is then told by the status.
            first = await anext(pieces)
            usage_too = bool((asked.stream_options or {}).get("include_usage"))
            events = streamed(head, chat, usage_too, first, pieces)
            return StreamingResponse(events, media_type="text/event-stream")
        text, finish_reason, usage = await whole(pieces)
        answer = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
        choice = {"index": 0, **answer, "logprobs": None, "finish_reason": finish_reason}
        kind = "chat.completion" if chat else "text_completion"
        return {**head, "object": kind, "choices": [choice], "usage": usage}


def build(args: dict[str, Any]) -> serve.Application:
    """What the application's `import_path` names; `args` as ray-serve-application.ts writes them."""
    return Model.bind(args["served"], args["engine"])

# See __init__.py.
from dataclasses import dataclass
from enum import Enum


class RequestOutputKind(Enum):
    DELTA = 1


@dataclass
class SamplingParams:
    output_kind: RequestOutputKind
    max_tokens: int | None = 16
    temperature: float = 1.0
    stop: str | list[str] | None = None
    #: Vllm knows no such thing; a test makes answers slow with it.
    seed: int | None = None

    @property
    def seconds_a_token(self) -> float:
        return (self.seed or 0) / 1000

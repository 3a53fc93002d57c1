# The figures of vLLM that Ray's nodes tell, by the names that vLLM gives them.
from ray.util.metrics import Counter


class RayPrometheusStatLogger:
    def __init__(self, model: str) -> None:
        self.tokens = Counter("vllm_generation_tokens", tag_keys=("model_name",))
        self.tokens.set_default_tags({"model_name": model})

    def token(self) -> None:
        self.tokens.inc()

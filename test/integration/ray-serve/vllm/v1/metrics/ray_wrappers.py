# The figures of vLLM that Ray's nodes tell, by the names that vLLM gives them.
from ray.util.metrics import Counter, Gauge


class RayPrometheusStatLogger:
    def __init__(self, model: str) -> None:
        labels = {"model_name": model}
        self.tokens = Counter("vllm_generation_tokens", tag_keys=("model_name",))
        self.tokens.set_default_tags(labels)
        running = Gauge("vllm_num_requests_running", tag_keys=("model_name",))
        running.set_default_tags(labels)
        running.set(0)

    def token(self) -> None:
        self.tokens.inc()

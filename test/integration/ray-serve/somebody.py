# An application of somebody else on the same cluster.
from ray import serve


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
class Somebody:
    def __call__(self, _request: object) -> str:
        return "still here"


app = Somebody.bind()

"""How long the proxy's matcher takes for a decision: median and 99th percentile in microseconds, for the policy on stdin."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "proxy-addon"))

from policy import Request, compile_policy, decide

given = json.load(sys.stdin)
policy = compile_policy("1", given["rules"], {})
requests = [
    Request(
        scheme="https",
        method=each["method"],
        host=each["host"],
        port=443,
        path=each["path"],
        address="1.1.1.1",
        sni=each["host"],
        host_header=each["host"],
        project="shop",
        run_kind="change",
    )
    for each in given["requests"]
]
taken: list[int] = []
for round_ in range(given["rounds"] + 1):
    for request in requests:
        began = time.perf_counter_ns()
        decide(policy, request, 0)
        if round_ > 0:
            taken.append(time.perf_counter_ns() - began)
taken.sort()
print(json.dumps({"median": taken[len(taken) // 2] / 1000, "p99": taken[len(taken) * 99 // 100] / 1000}))

"""Decides requests that come as lines of JSON, for the test that compares this matcher with the orchestrator's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policy import Request, compile_policy, decide
from refusal import suggestion

for line in sys.stdin:
    case = json.loads(line)
    asked = case["request"]
    request = Request(
        scheme=asked["scheme"],
        method=asked["method"],
        host=asked["host"],
        port=asked["port"],
        path=asked["path"],
        address=asked["address"],
        sni=asked["sni"],
        host_header=asked["hostHeader"],
        project=asked["project"],
        run_kind=asked["runKind"],
    )
    decision = decide(compile_policy("1", case["rules"], case["recording"]), request, case["now"])
    said = {"decision": decision.decision, "reason": decision.reason, "rule": decision.rule}
    print(json.dumps({**said, "suggestion": suggestion(request, decision)}))

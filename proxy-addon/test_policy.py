"""The cases that prove the matcher of the proxy and that of the orchestrator equal, and what is the proxy's own."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from policy import Request, compile_policy, decide, load
from refusal import refusal, suggestion

TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "cases" / "policy.json").read_text(encoding="utf-8"))
CASES = [pytest.param(group, case, id=f"{group['name']}: {case['name']}") for group in TABLE["groups"] for case in group["cases"]]


def request_of(fields: dict[str, Any]) -> Request:
    """A request of the table; what names the far side is its host where it is not said."""
    host = fields["host"]
    return Request(
        scheme=fields["scheme"],
        method=fields["method"],
        host=host,
        port=fields["port"],
        path=fields["path"],
        address=fields["address"],
        sni=fields.get("sni", host if fields["scheme"] == "https" else None),
        host_header=fields.get("hostHeader", host),
        project=fields["project"],
        run_kind=fields["runKind"],
    )


@pytest.mark.parametrize(("group", "case"), CASES)
def test_case(group: dict[str, Any], case: dict[str, Any]) -> None:
    name = group["policy"]
    rules = TABLE["policies"][name]
    policy = compile_policy("1", rules, TABLE["recording"].get(name, {}))
    fields = {**TABLE["request"], **group["request"], **case["request"]}
    request = request_of(fields)
    decision = decide(policy, request, fields["at"])
    expected = None if case["rule"] is None else rules[case["rule"]]
    assert (decision.decision, decision.reason, decision.rule) == (case["decision"], case["reason"], expected)
    if "suggestion" in case:
        assert suggestion(request, decision) == case["suggestion"]
    suggested = suggestion(request, decision)
    if suggested is not None:
        after = decide(compile_policy("2", [*rules, suggested], {}), request, fields["at"])
        assert (after.decision, after.rule) == ("allow", suggested)


def a_request(**fields: Any) -> Request:
    return request_of({**TABLE["request"], **fields})


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    document = {"version": "3-0a1b2c3d", "rules": ["allow host=web.example"], "recording": {"blog": 10}}
    file.write_text(json.dumps(document), encoding="utf-8")
    policy = load(file)
    assert policy.version == "3-0a1b2c3d"
    assert decide(policy, a_request()).decision == "allow"
    assert decide(policy, a_request(host="other.example", project="blog"), 9).reason == "recording"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"version": "1"}',
        '{"version": "1", "rules": ["allow"], "recording": {}}',
        '{"version": "1", "rules": ["allow host=0x7f.1"], "recording": {}}',
        '{"version": "1", "rules": ["permit host=a.example"], "recording": {}}',
        '{"version": "1", "rules": [1], "recording": {}}',
    ],
)
def test_a_file_that_is_no_policy_is_refused_whole(text: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="is no egress policy"):
        load(file)


def test_record_mode_ends_by_the_clock() -> None:
    policy = compile_policy("1", [], {"shop": time.time() + 60})
    assert decide(policy, a_request()).reason == "recording"
    assert decide(compile_policy("1", [], {"shop": time.time() - 1}), a_request()).reason == "no-rule"


def test_a_refusal_names_the_request_and_the_command_that_would_allow_it() -> None:
    request = a_request(method="POST", host="api.example", path="/v1/items?token=hidden")
    decision = decide(compile_policy("1", [], {}), request)
    refused = refusal(request, decision)
    assert refused.text == (
        "POST https://api.example:443/v1/items was refused: no rule of the egress policy allows it.\n"
        "A person may allow it: "
        "autocode egress policy allow 'method=POST host=api.example path=/v1/items' --project shop\n"
    )
    assert "hidden" not in json.dumps(refused.document)
    assert refused.document["error"] == {
        "code": "ERR_EGRESS_DENIED",
        "message": "POST https://api.example:443/v1/items was refused: no rule of the egress policy allows it.",
        "remedy": "A person may allow it: autocode egress policy allow 'method=POST host=api.example path=/v1/items' --project shop",
        "details": {
            "method": "POST",
            "host": "api.example",
            "port": 443,
            "path": "/v1/items",
            "reason": "no-rule",
            "rule": None,
            "allowedBy": "allow method=POST host=api.example path=/v1/items",
            "command": "autocode egress policy allow 'method=POST host=api.example path=/v1/items' --project shop",
        },
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"host": "a.example\r\nSet-Cookie: x", "sni": None},
        {"host": "a.example", "path": "/\x1b[31m"},
        {"method": "GET\n"},
        {"hostHeader": "b.example\r\n"},
        {"address": "\x1b[0m"},
    ],
)
def test_nothing_that_a_client_sent_breaks_a_line_of_a_refusal(fields: dict[str, Any]) -> None:
    request = a_request(**fields)
    refused = refusal(request, decide(compile_policy("1", ["allow host=a.example"], {}), request))
    assert refused.text.count("\n") == 2
    assert refused.text.isprintable() is False  # the two line ends
    assert refused.text.replace("\n", "").isprintable()


def test_what_a_person_pastes_into_a_shell_stays_in_its_quotes() -> None:
    request = a_request(path="/a';rm%20-rf%20~;'")
    refused = refusal(request, decide(compile_policy("1", [], {}), request))
    command = refused.text.split("A person may allow it: ")[1]
    assert command.count("'") == 2

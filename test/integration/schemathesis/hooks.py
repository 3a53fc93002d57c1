"""What schemathesis sends, made useful: known names beside generated ones, no waiting, nothing that ends the test itself."""

import json
import os
import re

import schemathesis

NAME = re.compile("[a-z0-9][a-z0-9._-]{0,62}")

# What the test has made before; generated values alone would meet nothing but 404.
KNOWN = {"project": "sample", "task": 1, "run": "1-1", "change": 1, "worker": "sample", "stream": "events"}

# Tokens of the other roles, none for nobody: the test's.
OTHERS = json.loads(os.environ["OTHER_TOKENS"])


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Text without NUL, spelt so that no length is written into the pattern: `{0,200000}` takes a second to compile, each time."""

    def spell(node):
        if isinstance(node, dict) and node.get("pattern") == "^[^\\u0000]*$":
            node["pattern"] = "^(?:$|[^\\u0000]+$)"
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
            spell(inner)

    spell(raw_schema)


@schemathesis.check
def holds_for_others(ctx, response, case):
    """What was generated with the token of one role is asked with those of the others too, and holds what was checked then."""
    if case.meta.phase.name.value != "fuzzing":
        return
    for role, token in OTHERS.items():
        authorization = None if token is None else f"Bearer {token}"  # none takes the header away that the case has
        try:
            case.call_and_validate(headers={"Authorization": authorization}, excluded_checks=[holds_for_others], timeout=10)
        except BaseExceptionGroup as failures:
            raise AssertionError(f"as {role}: {failures}") from failures


def every_other(value) -> bool:
    return sum(repr(value).encode()) % 2 == 0


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    # A project that is archived takes no more work, a token that is revoked ends the test.
    if not path_parameters or context.operation.method.upper() == "DELETE":
        return path_parameters
    known = {name: KNOWN[name] for name, value in path_parameters.items() if name in KNOWN and every_other(value)}
    return {**path_parameters, **known}


@schemathesis.hook
def map_body(context, body):
    if not isinstance(body, dict):
        return body
    # Only in place of what is valid itself: what was made to be refused must be sent.
    if isinstance(body.get("project"), str) and NAME.fullmatch(body["project"]) and every_other(body):
        body = {**body, "project": "sample"}
    if isinstance(body.get("fence"), int) and body["fence"] > 0 and every_other(body):
        body = {**body, "fence": 1}
    # Paths and addresses that exist elsewhere are no business of this test.
    if isinstance(body.get("repository"), str):
        body = {**body, "repository": "/nowhere/" + body["repository"]}
    if "url" in body and "token" in body:
        body = {**body, "url": "not-http://" + str(body["url"])}
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    """Long polls do not wait, and no stream is followed."""
    if "waitSeconds" in (case.query or {}):
        case.query["waitSeconds"] = 0
    elif case.operation.path.endswith("/signals"):
        case.query = {**(case.query or {}), "waitSeconds": 0}
    if isinstance(case.query, dict):
        case.query.pop("follow", None)
    if case.operation.path.endswith("/claim") and isinstance(case.body, dict):
        case.body = {**case.body, "waitSeconds": 0}
    # A drain that ends the daemon or its runs ends the test.
    if isinstance(case.body, dict) and case.body.get("atDeadline") in ("stop", "cancel"):
        case.body = {**case.body, "atDeadline": "wait"}
    if case.method.upper() == "DELETE" and "/tokens/" in case.operation.path and str((case.path_parameters or {}).get("id", "")).isdigit():
        case.path_parameters["id"] = int(case.path_parameters["id"]) + 1_000_000

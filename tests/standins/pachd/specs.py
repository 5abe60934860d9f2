"""From what a user sends to an effective spec, and pachd's rules for it."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.standins.pachd.errors import refuse, refuse_invalid
from tests.standins.pachd.parsing import parse
from tests.standins.pachd.sdk import pps

Spec = dict[str, Any]

BUILT_IN_DEFAULTS: Spec = {
    "transform": {"image": "ubuntu:20.04"},
    "outputBranch": "master",
    "datumTries": "3",
    "reprocessSpec": "until_success",
}
CLUSTER_DEFAULTS: Spec = {
    "resourceRequests": {"cpu": 1, "memory": "256Mi", "disk": "1Gi"},
    "sidecarResourceRequests": {"cpu": 1, "memory": "256Mi", "disk": "1Gi"},
}
"""What a new cluster has."""

REPROCESS_SPECS = {"until_success", "every_job"}
SERVICE_TYPES = {"ClusterIP", "LoadBalancer", "NodePort"}
LONGEST_NAME = 51
LONGEST_K8S_NAME = 63
NAME = re.compile(r"[a-zA-Z0-9_-]+")


def user_spec(text: str) -> Spec:
    """A spec as a user sent it, with pachd's names for the keys."""
    return parse(text, pps.CreatePipelineRequest)


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def effective_spec(*layers: Spec) -> Spec:
    """The layers over the built-in defaults, later ones first in force; statically checked."""
    spec: Spec = BUILT_IN_DEFAULTS
    for layer in layers:
        spec = merge(spec, layer)
    spec = parse(json.dumps(spec), pps.CreatePipelineRequest)
    _check_statically(spec)
    return spec


def _check_statically(spec: Spec) -> None:
    if "tfJob" in spec:
        refuse_invalid("embedding TFJobs in pipelines is not supported yet")
    if spec.get("reprocessSpec", "") not in REPROCESS_SPECS | {""}:
        refuse_invalid(
            'invalid pipeline spec: ReprocessSpec must be one of "until_success" or "every_job"'
        )
    for name in ("podSpec", "podPatch"):
        if spec.get(name) and not _is_json(spec[name]):
            refuse_invalid(f"malformed {name[0].upper()}{name[1:]}")
    kind = spec.get("service", {}).get("type", "")
    if kind and kind not in SERVICE_TYPES:
        refuse_invalid(f"the following service type {kind} is not allowed")
    for number, toleration in enumerate(spec.get("tolerations", []), 1):
        if toleration.get("operator", "EMPTY") == "EMPTY":
            total = len(spec["tolerations"])
            refuse_invalid(f"toleration {number}/{total}: unknown toleration operator EMPTY")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def identity(spec: Spec) -> tuple[str, str]:
    """Project and name of a pipeline."""
    pipeline = spec.get("pipeline")
    if pipeline is None:
        refuse("request.Pipeline cannot be nil")
    project = pipeline.get("project") or {}
    return project.get("name") or "default", pipeline.get("name") or ""


def check(spec: Spec) -> None:
    """The rules that need nothing but the spec; a dry run does not come this far."""
    project, name = identity(spec)
    _check_name(project, name)
    if not spec.get("transform", {}).get("image"):
        refuse("invalid transform: pipeline transform must contain an image")
    if "spout" in spec and spec.get("autoscaling"):
        refuse("autoscaling can't be used with spouts (spouts aren't triggered externally)")
    if spec.get("s3Out") and ("spout" in spec or "service" in spec):
        refuse("s3 output is not supported in spouts or services")
    if "spout" in spec and "service" not in spec["spout"] and "input" in spec:
        refuse("spout pipelines (without a service) must not have an input")
    constant = int(spec.get("parallelismSpec", {}).get("constant", 1))
    if "service" in spec and constant != 1:
        refuse("services can only be run with a constant parallelism of 1")
    _check_inputs(spec)


def _check_name(project: str, name: str) -> None:
    if not name:
        refuse("invalid pipeline spec: request.Pipeline.Name cannot be empty")
    if not NAME.fullmatch(name):
        refuse(
            f"invalid pipeline name: name ({name}) invalid: only alphanumeric characters, "
            "underscores, and dashes are allowed"
        )
    if not name[0].isalnum():
        refuse("pipeline names must start with an alphanumeric character")
    if len(name) > LONGEST_NAME:
        longer = len(name) - LONGEST_NAME
        refuse(f'pipeline name "{name}" is {longer} characters longer than the {LONGEST_NAME} max')
    k8s = f"{project}-{name}-v99".replace("_", "-").lower()
    if len(k8s) > LONGEST_K8S_NAME:
        longer = len(k8s) - LONGEST_K8S_NAME
        refuse(
            f'Kubernetes name "{k8s}" is {longer} characters longer than the {LONGEST_K8S_NAME} max'
        )


def _check_inputs(spec: Spec) -> None:
    for node in _nodes(spec.get("input")):
        kinds = [kind for kind, value in node.items() if value]
        if not kinds:
            refuse("no input set")
        if len(kinds) > 1:
            refuse("multiple input types set")
    for leaf in leaves(spec):
        kind, value = leaf
        if kind == "pfs":
            _check_pfs(value)
        elif not value.get("name"):
            refuse("cron input must have a name")
        elif not value.get("spec"):
            refuse("invalid input: empty cron spec")
    names = Counter(
        value.get("name") or value.get("repo", "")
        for _, value in leaves({"input": spec.get("input")}, union=False)
    )
    for name, times in names.items():
        if times > 1:
            refuse(f'name "{name}" was used more than once')


def _check_pfs(value: Spec) -> None:
    if not value.get("repo"):
        refuse("input must specify a repo")
    if (value.get("name") or value["repo"]) == "out":
        refuse('input cannot be named "out", as pachyderm already creates /pfs/out')
    if not value.get("glob"):
        refuse("input must specify a glob")


def _nodes(node: Spec | None) -> Iterator[Spec]:
    if node is None:
        return
    yield node
    for kind in ("join", "group", "cross", "union"):
        for child in node.get(kind) or ():
            yield from _nodes(child)


def leaves(spec: Spec, *, union: bool = True) -> Iterator[tuple[str, Spec]]:
    """The `pfs` and `cron` inputs; without `union` only one branch of each union."""
    root = spec.get("input")
    if root is not None:
        yield from _leaves(root, union=union)


def _leaves(node: Spec, *, union: bool) -> Iterator[tuple[str, Spec]]:
    for kind in ("pfs", "cron"):
        if node.get(kind):
            yield kind, node[kind]
    for kind in ("join", "group", "cross", "union"):
        children = node.get(kind) or []
        if kind == "union" and not union:
            children = children[:1]
        for child in children:
            yield from _leaves(child, union=union)


def input_repos(spec: Spec) -> list[tuple[str, str, str]]:
    """Kind, project and name of each repository the pipeline reads."""
    project, pipeline = identity(spec)
    found = []
    for kind, value in leaves(spec):
        default = f"{pipeline}_{value.get('name', '')}" if kind == "cron" else ""
        found.append((kind, value.get("project") or project, value.get("repo") or default))
    return found

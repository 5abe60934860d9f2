"""How far a fork's specs may differ from those of the default branch."""

import json
from typing import Any

import pytest

from bot.domain.fork_spec import check_specs
from bot.domain.reasons import Code, Reason, StoppedError
from bot.domain.spec import Spec, read_specs, with_project

IMAGES = {"edges": "registry.acme.io/edges"}


def body(**changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "pipeline": {"name": "edges"},
        "transform": {"image": "registry.acme.io/edges:1", "cmd": ["a"]},
        "input": {"pfs": {"repo": "images", "glob": "/*"}},
    }
    return spec | changes


def transform(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = body()["transform"]
    return body(transform=found | changes)


def specs(*bodies: dict[str, Any]) -> list[Spec]:
    return [
        with_project(read_specs("pipeline.json", json.dumps(each))[0], "vision") for each in bodies
    ]


def check(fork: dict[str, Any], ours: dict[str, Any] | None = None) -> None:
    check_specs(specs(fork), specs(ours or body()), IMAGES)


def refusal(fork: dict[str, Any], ours: dict[str, Any] | None = None) -> Reason:
    with pytest.raises(StoppedError) as caught:
        check(fork, ours)
    assert caught.value.reason.code is Code.FORK_NEEDS_RIGHTS
    return caught.value.reason


@pytest.mark.parametrize(
    "fork",
    [
        body(),
        body(description="better"),
        transform(cmd=["b"]),
        transform(stdin=["b"], errCmd=["c"], err_stdin=["d"], acceptReturnCode=[1]),
        transform(image="registry.acme.io/edges:another"),
    ],
)
def test_its_own_code_may_change(fork: dict[str, Any]) -> None:
    check(fork)


@pytest.mark.parametrize(
    ("fork", "told"),
    [
        (body(pipeline={"name": "billing"}), "no pipeline vision/billing"),
        (
            body(pipeline={"name": "edges", "project": {"name": "production"}}),
            "no pipeline production/edges",
        ),
        (transform(image="registry.acme.io/secret:1"), "runs registry.acme.io/secret:1"),
        (transform(image="registry.acme.io/edges-of-others:1"), "runs"),
        (transform(secrets=[{"name": "s", "key": "k", "env_var": "E"}]), "secrets"),
        (transform(env={"PPS_PIPELINE_NAME": "billing"}), "env"),
        (transform(user="root"), "user"),
        (transform(image_pull_secrets=["s"]), "imagePullSecrets"),
        (body(pod_patch="[]"), "podPatch"),
        (body(podSpec="{}"), "podSpec"),
        (body(egress={"URL": "s3://evil"}), "egress"),
        (body(input={"pfs": {"repo": "salaries", "glob": "/*"}}), "salaries"),
        (body(service={"internal_port": 80}), "service"),
        (body(scheduling_spec={"priority_class_name": "system"}), "schedulingSpec"),
        (body(parallelism_spec={"constant": 1000}), "parallelismSpec"),
        (body(metadata={"annotations": {"inject": "secret"}}), "metadata"),
        (body(reprocess=True), "reprocess"),
    ],
)
def test_what_is_done_with_it_may_not(fork: dict[str, Any], told: str) -> None:
    assert told in refusal(fork).fact


@pytest.mark.parametrize(
    ("ours", "field"),
    [
        (transform(secrets=[{"name": "s", "key": "k", "env_var": "E"}]), "transform.secrets"),
        (body(pod_patch="[]"), "pod_patch"),
        (body(podSpec="{}"), "podSpec"),
        (body(egress={"URL": "s3://acme"}), "egress"),
        (body(determined={"workspaces": ["w"]}), "determined"),
    ],
)
def test_a_pipeline_that_has_secrets_takes_no_code_of_a_fork(
    ours: dict[str, Any], field: str
) -> None:
    reason = refusal(ours, ours)
    assert (reason.where or "").endswith(field)


def test_another_ones_image_must_be_the_very_same() -> None:
    ours = transform(image="busybox:1")
    check(ours, ours)
    assert "busybox:2" in refusal(transform(image="busybox:2"), ours).fact

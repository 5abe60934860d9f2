"""A stand-in and the SDK's own client of it, so that it is true to what others speak."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from pachyderm_sdk import Client

from tests.standins.pachd import Pachd
from tests.standins.pachd.sdk import pfs, pps

EDGES: dict[str, Any] = {
    "pipeline": {"name": "edges"},
    "transform": {"image": "acme/edges:1", "cmd": ["python", "/edges.py"]},
    "input": {"pfs": {"repo": "images", "glob": "/*"}},
}


@pytest.fixture
def pachd() -> Iterator[Pachd]:
    with Pachd() as pachd:
        pachd.create_repo("images")
        yield pachd


@pytest.fixture
def client(pachd: Pachd) -> Any:
    return Client.from_pachd_address(pachd.address)


@pytest.fixture
def edges() -> dict[str, Any]:
    """A spec to change."""
    copy: dict[str, Any] = json.loads(json.dumps(EDGES))
    return copy


@pytest.fixture
def create(client: Any) -> Callable[..., dict[str, Any]]:
    """CreatePipelineV2 with a spec; the effective spec."""

    def create(spec: dict[str, Any], **options: bool) -> dict[str, Any]:
        answer = client.pps.create_pipeline_v2(
            create_pipeline_request_json=json.dumps(spec), **options
        )
        effective: dict[str, Any] = json.loads(answer.effective_create_pipeline_request_json)
        return effective

    return create


@pytest.fixture
def refusal(create: Callable[..., dict[str, Any]]) -> Callable[..., tuple[grpc.StatusCode, str]]:
    """The status and message with which a spec is refused."""

    def refusal(spec: dict[str, Any], **options: bool) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.RpcError) as caught:
            create(spec, **options)
        return caught.value.code(), caught.value.details()

    return refusal


@pytest.fixture
def inspect(client: Any) -> Callable[..., Any]:
    """InspectPipeline."""

    def inspect(name: str = "edges", project: str = "default") -> Any:
        return client.pps.inspect_pipeline(
            pipeline=pps.Pipeline(project=pfs.Project(name=project), name=name), details=True
        )

    return inspect

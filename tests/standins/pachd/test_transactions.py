import json
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from pachyderm_sdk import Client

from tests.standins.pachd import Pachd
from tests.standins.pachd.sdk import pps, transaction

Spec = dict[str, Any]


@pytest.fixture
def started(client: Any) -> Any:
    return client.transaction.start_transaction()


@pytest.fixture
def append(pachd: Pachd, started: Any) -> Callable[..., Any]:
    inside = Client.from_pachd_address(pachd.address, transaction_id=started.id)

    def append(spec: Spec, **options: bool) -> Any:
        return inside.pps.create_pipeline_v2(
            create_pipeline_request_json=json.dumps(spec), **options
        )

    return append


def below(edges: Spec, name: str = "montage") -> Spec:
    return edges | {
        "pipeline": {"name": name},
        "input": {"pfs": {"repo": "edges", "glob": "/"}},
    }


def test_nothing_is_done_before_the_end(
    pachd: Pachd, append: Callable[..., Any], edges: Spec
) -> None:
    append(edges)
    assert not pachd.has_pipeline("edges")


def test_all_is_done_at_the_end_and_jobs_share_an_id(
    pachd: Pachd, client: Any, started: Any, append: Callable[..., Any], edges: Spec
) -> None:
    append(edges)
    append(below(edges))
    client.transaction.finish_transaction(transaction=started)
    (first,), (second,) = pachd.jobs("edges"), pachd.jobs("montage")
    assert first.id == second.id
    assert pachd.transactions == ()


def test_what_cannot_be_done_is_refused_when_it_is_appended(
    append: Callable[..., Any], edges: Spec
) -> None:
    append(edges)
    with pytest.raises(grpc.RpcError) as caught:
        append(edges)
    assert caught.value.code() == grpc.StatusCode.ALREADY_EXISTS
    assert caught.value.details().startswith("error running request 2 of 2:")


def test_a_dry_run_is_not_appended(
    client: Any, started: Any, append: Callable[..., Any], edges: Spec
) -> None:
    append(edges, dry_run=True)
    info = client.transaction.inspect_transaction(transaction=started)
    assert info.requests == []


def test_the_world_may_change_in_between_and_then_nothing_is_done(
    pachd: Pachd, client: Any, started: Any, append: Callable[..., Any], edges: Spec
) -> None:
    append(edges)
    append(below(edges))
    pachd.update(edges)
    with pytest.raises(grpc.RpcError, match="already exists"):
        client.transaction.finish_transaction(transaction=started)
    assert pachd.pipeline("edges").current.number == 1
    assert not pachd.has_pipeline("montage")


def test_a_deleted_transaction_cannot_be_finished(client: Any, started: Any) -> None:
    client.transaction.delete_transaction(transaction=started)
    with pytest.raises(grpc.RpcError) as caught:
        client.transaction.finish_transaction(transaction=started)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_nothing_is_appended_to_a_deleted_transaction(
    client: Any, started: Any, append: Callable[..., Any], edges: Spec
) -> None:
    client.transaction.delete_transaction(transaction=started)
    with pytest.raises(grpc.RpcError) as caught:
        append(edges)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_a_transaction_can_be_looked_at(
    client: Any, started: Any, append: Callable[..., Any], edges: Spec
) -> None:
    append(edges)
    info = client.transaction.inspect_transaction(transaction=started)
    assert json.loads(info.requests[0].create_pipeline_v2.user_json) == edges
    found = client.transaction.list_transaction().transaction_info
    assert [item.transaction.id for item in found] == [started.id]


def test_a_batch_is_all_or_nothing(pachd: Pachd, client: Any, edges: Spec) -> None:
    def step(spec: Spec) -> Any:
        return transaction.TransactionRequest(
            create_pipeline_v2=pps.CreatePipelineTransaction(
                user_json=json.dumps(spec), effective_json=json.dumps(spec)
            )
        )

    with pytest.raises(grpc.RpcError, match="request 2 of 2"):
        client.transaction.batch_transaction(requests=[step(edges), step(edges)])
    assert not pachd.has_pipeline("edges")
    client.transaction.batch_transaction(requests=[step(edges), step(below(edges))])
    assert pachd.has_pipeline("montage")

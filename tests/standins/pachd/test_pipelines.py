from collections.abc import Callable
from typing import Any

import grpc
import pytest

from tests.standins.pachd import Pachd
from tests.standins.pachd.sdk import pfs, pps

Spec = dict[str, Any]
Create = Callable[..., Spec]
Refusal = Callable[..., tuple[grpc.StatusCode, str]]
Inspect = Callable[..., Any]

UNKNOWN = grpc.StatusCode.UNKNOWN
NOT_FOUND = grpc.StatusCode.NOT_FOUND
INVALID = grpc.StatusCode.INVALID_ARGUMENT


def test_the_effective_spec_has_the_built_in_and_the_clusters_defaults(
    create: Create, edges: Spec
) -> None:
    del edges["transform"]["image"]
    effective = create(edges, dry_run=True)
    assert effective["transform"]["image"] == "ubuntu:20.04"
    assert effective["datumTries"] == "3"
    assert effective["resourceRequests"]["memory"] == "256Mi"


def test_a_projects_defaults_go_over_the_clusters_and_under_the_users(
    pachd: Pachd, create: Create, edges: Spec
) -> None:
    pachd.set_project_defaults("default", {"resourceRequests": {"cpu": 2, "memory": "1Gi"}})
    edges["resource_requests"] = {"memory": "4Gi"}
    effective = create(edges, dry_run=True)
    assert effective["resourceRequests"] == {"cpu": 2, "memory": "4Gi", "disk": "1Gi"}


def test_null_takes_a_default_away(create: Create, edges: Spec) -> None:
    assert "datumTries" not in create(edges | {"datumTries": None}, dry_run=True)


def test_a_dry_run_changes_nothing(pachd: Pachd, create: Create, edges: Spec) -> None:
    create(edges, dry_run=True)
    assert not pachd.has_pipeline("edges")


def test_a_dry_run_checks_neither_name_nor_inputs_nor_secrets(create: Create, edges: Spec) -> None:
    edges["pipeline"]["name"] = "no good name"
    edges["input"]["pfs"]["repo"] = "missing"
    edges["transform"]["secrets"] = [{"name": "missing"}]
    create(edges, dry_run=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"foo": 1}, 'unknown field "foo"'),
        ({"reprocessSpec": "sometimes"}, "ReprocessSpec must be one of"),
        ({"podPatch": "{"}, "malformed PodPatch"),
        ({"tfJob": {"tfJob": "{}"}}, "TFJobs"),
        ({"service": {"type": "Odd"}}, "service type Odd is not allowed"),
        ({"tolerations": [{"key": "gpu"}]}, "toleration 1/1"),
    ],
)
def test_a_dry_run_refuses_what_is_wrong_in_itself(
    refusal: Refusal, edges: Spec, change: Spec, message: str
) -> None:
    code, details = refusal(edges | change, dry_run=True)
    assert code == INVALID
    assert message in details


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pipeline": None}, "request.Pipeline cannot be nil"),
        ({"pipeline": {}}, "Name cannot be empty"),
        ({"pipeline": {"name": "a b"}}, "only alphanumeric characters, underscores, and dashes"),
        ({"pipeline": {"name": "-a"}}, "must start with an alphanumeric character"),
        ({"pipeline": {"name": "a" * 52}}, "1 characters longer than the 51 max"),
        ({"transform": {"image": ""}}, "must contain an image"),
        ({"input": {"pfs": {"repo": "images"}}}, "input must specify a glob"),
        ({"input": {"pfs": {"glob": "/"}}}, "input must specify a repo"),
        ({"input": {"pfs": {"repo": "images", "name": "out", "glob": "/"}}}, "/pfs/out"),
        ({"input": {}}, "no input set"),
        ({"input": {"cron": {"name": "tick"}}}, "cron spec"),
        ({"autoscaling": True, "spout": {}, "input": None}, "autoscaling can't be used"),
        ({"spout": {}}, "must not have an input"),
        ({"input": {"pfs": {"repo": "edges", "glob": "/"}}}, "not found"),
    ],
)
def test_the_real_thing_refuses_what_a_dry_run_lets_pass(
    refusal: Refusal, create: Create, edges: Spec, change: Spec, message: str
) -> None:
    create(edges | change, dry_run=True)
    _, details = refusal(edges | change)
    assert message in details


def test_two_inputs_of_a_cross_need_two_names(refusal: Refusal, edges: Spec) -> None:
    leaf = {"pfs": {"repo": "images", "glob": "/"}}
    assert "used more than once" in refusal(edges | {"input": {"cross": [leaf, leaf]}})[1]


def test_project_and_name_together_must_fit_kubernetes(
    pachd: Pachd, refusal: Refusal, edges: Spec
) -> None:
    pachd.create_project("p" * 30)
    edges["pipeline"] = {"project": {"name": "p" * 30}, "name": "a" * 40}
    assert "12 characters longer than the 63 max" in refusal(edges)[1]


def test_a_missing_input_repo_is_not_found(refusal: Refusal, edges: Spec) -> None:
    edges["input"]["pfs"]["repo"] = "missing"
    assert refusal(edges) == (NOT_FOUND, "repo default/missing not found")


def test_a_missing_project_is_not_found(refusal: Refusal, edges: Spec) -> None:
    edges["pipeline"]["project"] = {"name": "vision"}
    edges["input"]["pfs"]["project"] = "default"
    assert refusal(edges) == (NOT_FOUND, 'project "vision" not found')


def test_an_input_is_in_the_pipelines_project_unless_it_says_so(
    pachd: Pachd, create: Create, refusal: Refusal, edges: Spec
) -> None:
    pachd.create_project("vision")
    edges["pipeline"]["project"] = {"name": "vision"}
    assert refusal(edges)[1] == "repo vision/images not found"
    edges["input"]["pfs"]["project"] = "default"
    create(edges)


def test_a_cron_input_gets_its_repo(client: Any, create: Create, edges: Spec) -> None:
    create(edges | {"input": {"cron": {"name": "tick", "spec": "@every 60s"}}})
    assert client.pfs.repo_exists(
        pfs.Repo(project=pfs.Project(name="default"), name="edges_tick", type="user")
    )


def test_the_output_of_a_pipeline_is_a_repo_to_read(create: Create, edges: Spec) -> None:
    create(edges)
    montage = {"name": "montage"}
    create(edges | {"pipeline": montage, "input": {"pfs": {"repo": "edges", "glob": "/"}}})


def test_a_pipeline_cannot_take_the_name_of_a_repo(refusal: Refusal, edges: Spec) -> None:
    edges["pipeline"]["name"] = "images"
    assert "a repo with the same name already exists" in refusal(edges)[1]


def test_a_pipeline_cannot_read_from_itself(create: Create, refusal: Refusal, edges: Spec) -> None:
    create(edges)
    edges["input"]["pfs"]["repo"] = "edges"
    assert "its own provenance" in refusal(edges, update=True)[1]


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ({"name": "db", "envVar": "PASSWORD", "key": "password"}, "missing Kubernetes secret db"),
        ({"name": "aws", "envVar": "ID"}, "missing key"),
        ({"name": "aws", "envVar": "ID", "key": "other"}, "missing key other"),
    ],
)
def test_secrets_must_be_in_kubernetes(
    pachd: Pachd, refusal: Refusal, edges: Spec, secret: Spec, message: str
) -> None:
    pachd.create_secret("aws", "id")
    edges["transform"]["secrets"] = [secret]
    assert message in refusal(edges)[1]


def test_creating_twice_is_refused(create: Create, refusal: Refusal, edges: Spec) -> None:
    create(edges)
    assert refusal(edges) == (grpc.StatusCode.ALREADY_EXISTS, 'pipeline "edges" already exists')


def test_update_creates_what_is_not_there(create: Create, inspect: Inspect, edges: Spec) -> None:
    create(edges, update=True)
    assert inspect().version == 1


def test_every_update_is_a_new_version_even_of_the_same_spec(
    create: Create, inspect: Inspect, edges: Spec
) -> None:
    create(edges)
    first = inspect()
    create(edges, update=True)
    second = inspect()
    assert (first.version, second.version) == (1, 2)
    assert first.spec_commit.id != second.spec_commit.id


def test_update_and_reprocess_inside_the_json_do_nothing(
    create: Create, refusal: Refusal, inspect: Inspect, edges: Spec
) -> None:
    create(edges)
    assert refusal(edges | {"update": True})[0] == grpc.StatusCode.ALREADY_EXISTS
    salt = inspect().details.salt
    create(edges | {"reprocess": True}, update=True)
    assert inspect().details.salt == salt


def test_a_spec_commit_cannot_be_updated(create: Create, refusal: Refusal, edges: Spec) -> None:
    create(edges)
    edges["specCommit"] = {"id": "0" * 32}
    assert "spec commit at the same time" in refusal(edges, update=True)[1]


def test_the_users_spec_is_kept_as_it_was_sent(client: Any, inspect: Inspect) -> None:
    text = '{"pipeline": {"name":"edges"},\t"input":{"pfs":{"repo":"images","glob":"/*"}}}'
    client.pps.create_pipeline_v2(create_pipeline_request_json=text)
    assert inspect().user_spec_json == text


def test_the_details_are_those_of_the_spec(create: Create, inspect: Inspect, edges: Spec) -> None:
    create(edges | {"datumTimeout": "90s", "parallelismSpec": {"constant": "2"}})
    details = inspect().details
    assert details.transform.image == "acme/edges:1"
    assert details.datum_timeout.total_seconds() == 90
    assert details.workers_requested == 2


def test_history_is_kept_and_found_by_ancestry(
    create: Create, inspect: Inspect, edges: Spec
) -> None:
    for tag in "123":
        edges["transform"]["image"] = f"acme/edges:{tag}"
        create(edges, update=True)
    images = [inspect(name).details.transform.image for name in ("edges^", "edges~2", "edges^^")]
    assert images == ["acme/edges:2", "acme/edges:1", "acme/edges:1"]


def test_an_ancestor_before_the_first_is_refused(
    create: Create, inspect: Inspect, edges: Spec
) -> None:
    create(edges)
    with pytest.raises(grpc.RpcError) as caught:
        inspect("edges^1")
    assert "not enough to find ancestor 1" in caught.value.details()


def test_a_list_has_as_much_history_as_asked_for(client: Any, create: Create, edges: Spec) -> None:
    for _ in range(3):
        create(edges, update=True)
    counts = [len(list(client.pps.list_pipeline(history=history))) for history in (0, 1, -1)]
    assert counts == [1, 2, 3]


def test_a_list_can_be_of_some_projects(
    pachd: Pachd, client: Any, create: Create, edges: Spec
) -> None:
    pachd.create_repo("images", project="vision")
    create(edges)
    create(edges | {"pipeline": {"name": "edges", "project": {"name": "vision"}}})
    found = client.pps.list_pipeline(projects=[pfs.Project(name="vision")])
    assert [info.pipeline.project.name for info in found] == ["vision"]


def test_an_unknown_pipeline_is_not_found(inspect: Inspect) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        inspect("nothing")
    assert caught.value.code() == NOT_FOUND


def test_a_pipeline_that_others_read_is_not_deleted_without_force(
    pachd: Pachd, client: Any, create: Create, edges: Spec
) -> None:
    create(edges)
    montage = {"name": "montage"}
    create(edges | {"pipeline": montage, "input": {"pfs": {"repo": "edges", "glob": "/"}}})
    with pytest.raises(grpc.RpcError, match="subvenance"):
        client.pps.delete_pipeline(pipeline=pps.Pipeline(name="edges"))
    assert pachd.has_pipeline("edges")


def test_deleting_takes_pipeline_repo_and_jobs(
    pachd: Pachd, client: Any, create: Create, edges: Spec
) -> None:
    create(edges)
    client.pps.delete_pipeline(pipeline=pps.Pipeline(name="edges"))
    assert not pachd.has_pipeline("edges")
    assert pachd.jobs("edges") == ()
    create(edges)


def test_deleting_nothing_is_fine_unless_it_must_exist(client: Any) -> None:
    client.pps.delete_pipeline(pipeline=pps.Pipeline(name="edges"))
    with pytest.raises(grpc.RpcError) as caught:
        client.pps.delete_pipeline(pipeline=pps.Pipeline(name="edges"), must_exist=True)
    assert caught.value.code() == NOT_FOUND


def test_a_template_is_rendered_with_strings(client: Any) -> None:
    template = 'function(n) [{pipeline: {name: "a" + n}}, {pipeline: {name: "b" + n}}]'
    answer = client.pps.render_template(template=template, args={"n": "1"})
    assert '"a1"' in answer.json
    assert '"b1"' in answer.json


def test_a_template_imports_no_file(client: Any) -> None:
    with pytest.raises(grpc.RpcError, match="import"):
        client.pps.render_template(template='import "/etc/passwd"')

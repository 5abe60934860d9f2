import http.server
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.errors import (
    AuthServiceNotActivated,
)

from tests.standins.pachd import Pachd
from tests.standins.pachd.images import image_exists
from tests.standins.pachd.sdk import pfs

Spec = dict[str, Any]
Create = Callable[..., Spec]
ROOT = Path(__file__).parents[3]


def status(call: Callable[[], Any]) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    code: grpc.StatusCode = caught.value.code()
    return code


def test_the_version_is_the_one_asked_for() -> None:
    with Pachd(version=(2, 7, 1)) as pachd:
        version = Client.from_pachd_address(pachd.address).get_version()
    assert (version.major, version.minor, version.micro) == (2, 7, 1)


def test_the_cluster_can_be_inspected(client: Any) -> None:
    assert client.admin.inspect_cluster().id


def test_auth_is_off_unless_there_are_tokens(client: Any) -> None:
    with pytest.raises(AuthServiceNotActivated):
        client.auth.who_am_i()


@pytest.mark.parametrize(
    ("token", "expected"),
    [(None, "no authentication token"), ("bad", "corrupted or has expired")],
)
def test_without_a_good_token_nothing_is_answered(token: str | None, expected: str) -> None:
    with Pachd(tokens={"good": "robot:bot"}) as pachd:
        client = Client.from_pachd_address(pachd.address, auth_token=token)
        with pytest.raises(grpc.RpcError) as caught:
            list(client.pfs.list_project())
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert expected in caught.value.details()


def test_with_a_good_token_its_user_is_known() -> None:
    with Pachd(tokens={"good": "robot:bot"}) as pachd:
        client = Client.from_pachd_address(pachd.address, auth_token="good")
        assert client.auth.who_am_i().username == "robot:bot"


def test_a_reader_may_change_nothing(edges: Spec) -> None:
    with Pachd(tokens={"good": "robot:eye"}, readers=frozenset({"robot:eye"})) as pachd:
        client = Client.from_pachd_address(pachd.address, auth_token="good")
        assert [info.project.name for info in client.pfs.list_project()] == ["default"]
        text = json.dumps(edges)
        assert (
            status(lambda: client.pps.create_pipeline_v2(create_pipeline_request_json=text))
            == grpc.StatusCode.PERMISSION_DENIED
        )


def test_projects_and_repos_are_made_once(client: Any) -> None:
    project = pfs.Project(name="vision")
    repo = pfs.Repo(name="images", type="user", project=project)
    assert status(lambda: client.pfs.create_repo(repo=repo)) == grpc.StatusCode.NOT_FOUND
    client.pfs.create_project(project=project)
    client.pfs.create_repo(repo=repo)
    assert client.pfs.inspect_repo(repo=repo).repo.name == "images"
    assert client.pfs.inspect_project(project=project).project.name == "vision"
    assert [info.repo.name for info in client.pfs.list_repo(projects=[project])] == ["images"]
    assert status(lambda: client.pfs.create_repo(repo=repo)) == grpc.StatusCode.ALREADY_EXISTS


def test_a_fault_happens_as_often_as_asked_for(pachd: Pachd, client: Any) -> None:
    pachd.fail("ListProject", grpc.StatusCode.INTERNAL, "bad luck", times=2)
    codes = [status(lambda: list(client.pfs.list_project())) for _ in range(2)]
    assert codes == [grpc.StatusCode.INTERNAL] * 2
    assert len(list(client.pfs.list_project())) == 1


def test_the_work_before_a_lost_answer_is_done(
    pachd: Pachd, refusal: Callable[..., Any], edges: Spec
) -> None:
    pachd.fail("CreatePipelineV2", after=True)
    assert refusal(edges)[0] == grpc.StatusCode.UNAVAILABLE
    assert pachd.has_pipeline("edges")


def test_a_held_call_does_nothing_before_it_is_let_go(
    pachd: Pachd, create: Create, edges: Spec
) -> None:
    gate = pachd.hold("CreatePipelineV2")
    caller = threading.Thread(target=create, args=(edges,))
    caller.start()
    assert pachd.faults.wait_for("CreatePipelineV2", timeout=10)
    assert not pachd.has_pipeline("edges")
    gate.set()
    caller.join()
    assert pachd.has_pipeline("edges")


def test_the_state_outlives_a_restart_on_the_same_port(tmp_path: Path, edges: Spec) -> None:
    file = tmp_path / "pachd.json"
    with Pachd(state_file=file) as pachd:
        pachd.put_files("images", ["a.png"])
        pachd.update(edges)
        pachd.advance(1_000)
    with Pachd(state_file=file) as pachd:
        assert pachd.pipeline("edges").current.number == 1
        assert pachd.jobs("edges")[0].state == "SUCCESS"


def test_it_can_stop_and_start_again(pachd: Pachd) -> None:
    address = pachd.address
    pachd.stop()
    pachd.start()
    assert pachd.address == address
    assert Client.from_pachd_address(address).get_version().major == 2


@pytest.fixture
def registry() -> Iterator[str]:
    """A registry that has one manifest, `vision/edges` by tag 1, and a closed part."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            codes = {"/v2/vision/edges/manifests/1": 200, "/v2/closed/x/manifests/1": 401}
            self.send_response(codes.get(self.path, 404))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("name", "exists"),
    [
        ("vision/edges:1", True),
        ("vision/edges:2", False),
        (f"vision/edges:1@sha256:{'0' * 64}", False),
        ("closed/x:1", True),
    ],
)
def test_a_registry_on_this_machine_is_asked(registry: str, name: str, *, exists: bool) -> None:
    assert image_exists(f"{registry}/{name}") is exists


def test_a_registry_that_does_not_answer_has_nothing() -> None:
    assert not image_exists("localhost:1/vision/edges:1")


def test_a_registry_elsewhere_is_taken_to_have_everything() -> None:
    assert image_exists("registry.example.com/vision/edges:1")


def test_as_a_process_it_says_where_it_is_and_keeps_its_state(tmp_path: Path) -> None:
    state = tmp_path / "pachd.json"
    command = [sys.executable, "-m", "tests.standins.pachd", "--state", str(state)]
    command += ["--repo", "vision/images", "--file", "vision/images=a.png", "--secret", "db=url"]
    with subprocess.Popen(  # noqa: S603 - our own process
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        client = Client.from_pachd_address(address)
        repos = [info.repo.name for info in client.pfs.list_repo()]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert repos == ["images"]
    assert json.loads(state.read_text())["repos"]["vision/images"]["files"].keys() == {"/a.png"}

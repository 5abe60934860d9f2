from dataclasses import replace

import pytest

from bot.domain.reasons import Code
from bot.services.docker.failures import BuildEnd, build_failure, passes, push_failure, unwrapped
from bot.services.docker.orders import BuildOrder
from bot.services.docker.trace import FailedStep

ORDER = BuildOrder("edges", ("it:1",), "docker/Dockerfile")
METADATA = "[internal] load metadata for docker.io/acme/base:1"


def base_code(error: str) -> Code:
    end = BuildEnd(ORDER, f"failed to solve: {error}", FailedStep(METADATA, error))
    return build_failure(end).reason.code


@pytest.mark.parametrize(
    "error",
    [
        "pull access denied, repository does not exist or may require authorization",
        "server message: insufficient_scope: authorization failed",
        "unexpected status code [manifests 1]: 401 Unauthorized",
        "failed to authorize: failed to fetch oauth token: unexpected status: 403 Forbidden",
    ],
)
def test_a_base_image_that_is_denied_is_the_registry_refusing(error: str) -> None:
    assert base_code(error) is Code.REGISTRY_REFUSED


@pytest.mark.parametrize(
    "error",
    [
        "failed to do request: Head https://x/v2/: dial tcp 127.0.0.1:1: connect: connection refused",
        "failed to do request: Head https://x/v2/: dial tcp: lookup x: no such host",
        "unexpected status code [manifests 1]: 503 Service Unavailable",
        "failed to do request: Head https://x/v2/: x509: certificate signed by unknown authority",
    ],
)
def test_a_registry_that_does_not_answer_is_told(error: str) -> None:
    assert base_code(error) is Code.REGISTRY_UNREACHABLE


def test_an_unknown_base_image_is_a_failed_build() -> None:
    assert base_code("docker.io/acme/base:1: not found") is Code.BUILD_FAILED


def test_the_image_that_reads_the_dockerfile_is_no_base_image() -> None:
    error = "failed to do request: dial tcp: lookup registry-1.docker.io: no such host"
    step = FailedStep("resolve image config for docker.io/docker/dockerfile:1", error)
    reason = build_failure(BuildEnd(ORDER, f"failed to solve: {error}", step)).reason
    assert reason.code is Code.REGISTRY_UNREACHABLE
    assert reason.where == "docker/Dockerfile:1: image edges: # syntax="


def test_a_line_that_an_old_engine_cannot_read_may_be_a_here_document() -> None:
    message = "dockerfile parse error line 4: unknown instruction: ECHO"
    reason = build_failure(BuildEnd(ORDER, message)).reason
    assert (reason.code, "here-document" in reason.next_step) == (Code.DOCKERFILE_INVALID, True)


def test_a_newer_buildkit_gives_the_line() -> None:
    message = (
        'failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2\n'
        "Dockerfile:7\n--------------------\n   7 | >>> RUN make\n"
    )
    step = FailedStep("RUN make", "process did not complete successfully: exit code: 2", (), 3, 4)
    reason = build_failure(BuildEnd(ORDER, message, step)).reason
    assert reason.where == "docker/Dockerfile:7: image edges: RUN make"
    assert reason.fact == "step 3 of 4, `RUN make`: exit status 2"


@pytest.mark.parametrize(
    ("message", "step", "where"),
    [
        ("exit code: 3", FailedStep("RUN exit 3", "exit code: 3"), ": image edges: RUN exit 3"),
        ("denied", FailedStep(METADATA, "denied"), ": image edges: FROM docker.io/acme/base:1"),
        ("dockerfile parse error line 2: FOO", None, ":2: image edges"),
        ("failed to read dockerfile: open Dockerfile", None, ": image edges"),
    ],
)
def test_the_place_is_the_repositorys_and_names_the_image(
    message: str, step: FailedStep | None, where: str
) -> None:
    order = replace(ORDER, place="b/docker/Dockerfile")
    assert build_failure(BuildEnd(order, message, step)).reason.where == (
        f"b/docker/Dockerfile{where}"
    )


def test_a_parse_error_gives_its_line() -> None:
    message = (
        "failed to solve with frontend dockerfile.v0: failed to create LLB definition: "
        "dockerfile parse error line 2: unknown instruction: FOO"
    )
    reason = build_failure(BuildEnd(ORDER, message)).reason
    assert (reason.code, reason.where) == (
        Code.DOCKERFILE_INVALID,
        "docker/Dockerfile:2: image edges",
    )
    assert reason.fact == "unknown instruction: FOO"


def test_a_full_disk_counts_before_all_else() -> None:
    step = FailedStep("FROM it", "failed to register layer: write /x: no space left on device")
    reason = build_failure(BuildEnd(ORDER, "failed to solve", step)).reason
    assert reason.code is Code.DISK_FULL


def test_a_secret_that_another_step_did_without_is_not_blamed() -> None:
    step = FailedStep("RUN make", "exit code: 2", (), 3, 4)
    end = BuildEnd(ORDER, "exit code: 2", step, frozenset({"token"}))
    assert build_failure(end).reason.code is Code.BUILD_FAILED


def test_a_step_that_is_denied_something_is_not_the_registry() -> None:
    step = FailedStep("RUN curl", "exit code: 22", ("403 Forbidden", "access denied"), 2, 2)
    assert build_failure(BuildEnd(ORDER, "exit code: 22", step)).reason.code is Code.BUILD_FAILED


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("denied: requested access to the resource is denied", Code.REGISTRY_REFUSED),
        ("unauthorized: authentication required", Code.REGISTRY_REFUSED),
        ("no basic auth credentials", Code.REGISTRY_REFUSED),
        ('Get "https://x/v2/": dial tcp: lookup x: no such host', Code.REGISTRY_UNREACHABLE),
        ("received unexpected HTTP status: 502 Bad Gateway", Code.REGISTRY_UNREACHABLE),
        ("write /data/x: no space left on device", Code.DISK_FULL),
        ("manifest invalid: something new", Code.REGISTRY_REFUSED),
    ],
)
def test_a_push_gives_a_reason_with_the_registrys_own_words(message: str, code: Code) -> None:
    reason = push_failure("r.example.com/it:1", message).reason
    assert (reason.code, reason.fact, reason.where) == (code, message, "r.example.com/it:1")


@pytest.mark.parametrize(
    ("message", "again"),
    [
        ("received unexpected HTTP status: 503 Service Unavailable", True),
        ("read tcp: connection reset by peer", True),
        ("manifest blob unknown: blob unknown to registry", True),
        ("denied: requested access to the resource is denied", False),
        ("dial tcp: lookup x: no such host", False),
        ("received unexpected HTTP status: 500: no space left on device", False),
    ],
)
def test_only_what_may_pass_is_tried_again(message: str, *, again: bool) -> None:
    assert passes(message) is again


def test_the_engines_wrapping_is_taken_off() -> None:
    message = (
        "failed to solve with frontend dockerfile.v0: failed to create LLB definition: "
        "target stage x could not be found\nand more"
    )
    assert unwrapped(message) == "target stage x could not be found"

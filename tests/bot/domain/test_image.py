import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.image import (
    ImageReference,
    TagFacts,
    parse_reference,
    push_repository,
    render_tags,
    same_repository,
)
from bot.domain.reasons import Code, Reason, StoppedError

DIGEST = "sha256:" + "a" * 64
SHA = "0123456789abcdef0123456789abcdef01234567"
FACTS = TagFacts(SHA, "main", None, "2026-11-23")

COMPONENT = st.from_regex(r"[a-z0-9]{1,6}([._-][a-z0-9]{1,4})?", fullmatch=True)
REGISTRIES = st.one_of(
    st.sampled_from(["docker.io", "localhost", "localhost:5000", "[::1]:5000", "10.0.0.1:80"]),
    st.from_regex(r"[a-z]{1,5}\.[a-z]{2,5}(:[1-9][0-9]{1,3})?", fullmatch=True),
)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)


@st.composite
def references(draw: st.DrawFn) -> ImageReference:
    path = "/".join(draw(st.lists(COMPONENT, min_size=2, max_size=4)))
    tag = draw(st.none() | TAGS)
    digest = draw(st.none() | st.just(DIGEST))
    return ImageReference(f"{draw(REGISTRIES)}/{path}", tag, digest)


def refusal(text: str) -> Reason:
    with pytest.raises(StoppedError) as caught:
        parse_reference(text)
    return caught.value.reason


def tag_refusal(template: str) -> Reason:
    with pytest.raises(StoppedError) as caught:
        render_tags([template], FACTS)
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        ("ubuntu", "docker.io/library/ubuntu", None, None),
        ("ubuntu:20.04", "docker.io/library/ubuntu", "20.04", None),
        ("docker.io/ubuntu", "docker.io/library/ubuntu", None, None),
        ("pachyderm/opencv", "docker.io/pachyderm/opencv", None, None),
        ("index.docker.io/pachyderm/opencv:1", "docker.io/pachyderm/opencv", "1", None),
        ("registry.acme.io/vision/edges:1", "registry.acme.io/vision/edges", "1", None),
        (f"acme/edges@{DIGEST}", "docker.io/acme/edges", None, DIGEST),
        (f"acme/edges:1@{DIGEST}", "docker.io/acme/edges", "1", DIGEST),
        ("localhost/edges", "localhost/edges", None, None),
        ("localhost:5000/edges", "localhost:5000/edges", None, None),
        ("registry:5000/edges:V1.0_x-y", "registry:5000/edges", "V1.0_x-y", None),
        ("[::1]:5000/a/b__c/d--e", "[::1]:5000/a/b__c/d--e", None, None),
    ],
)
def test_a_name_is_completed_as_docker_does(
    text: str, repository: str, tag: str | None, digest: str | None
) -> None:
    assert parse_reference(text) == ImageReference(repository, tag, digest)


@pytest.mark.parametrize(
    ("text", "familiar"),
    [
        ("docker.io/library/ubuntu:20.04", "ubuntu:20.04"),
        (f"docker.io/pachyderm/opencv:1@{DIGEST}", f"pachyderm/opencv:1@{DIGEST}"),
        ("docker.io/localhost/edges", "docker.io/localhost/edges"),
        ("docker.io/library/team/edges", "docker.io/library/team/edges"),
        (f"registry.acme.io/library/edges@{DIGEST}", f"registry.acme.io/library/edges@{DIGEST}"),
    ],
)
def test_a_name_is_printed_as_people_write_it(text: str, familiar: str) -> None:
    assert str(parse_reference(text)) == familiar


def test_registry_and_path_are_the_two_parts_of_a_repository() -> None:
    reference = parse_reference("registry:5000/team/edges:1")
    assert (reference.registry, reference.path) == ("registry:5000", "team/edges")


@given(references())
def test_what_is_printed_reads_back(reference: ImageReference) -> None:
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("ubuntu\n", "white space"),
        ("acme/edges 1", "white space"),
        ("https://acme.io/edges", "without https://"),
        ("acme/Edges:V1", "Write acme/edges:V1"),
        ("$REGISTRY/edges", "variable"),
        ("acme/edges@sha256:abc", "64 hexadecimal"),
        (f"acme/edges@{DIGEST.upper()}", "64 hexadecimal"),
        ("acme/edges:", "not the name"),
        ("acme//edges", "not the name"),
        ("acme/edges:" + "t" * 129, "not the name"),
        ("a" * 64, "hexadecimal"),
        ("a" * 300, "255"),
        ("host:port/edges", "not the name"),
    ],
)
def test_what_is_no_name_is_refused_with_what_is_wrong(text: str, said: str) -> None:
    reason = refusal(text)
    assert reason.code is Code.IMAGE_NAME_INVALID
    assert said in f"{reason.fact} {reason.next_step}"


@given(st.one_of(st.text(), st.text("abAB./:@-_0$ sha256")))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with contextlib.suppress(StoppedError):
        reference = parse_reference(text)
        assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "repository"),
    [
        ("registry.acme.io/vision/edges:1.0", "registry.acme.io/vision/edges"),
        (f"acme/edges@{DIGEST}", "docker.io/acme/edges"),
        ("localhost:5000/edges", "localhost:5000/edges"),
    ],
)
def test_an_image_is_pushed_to_its_repository(text: str, repository: str) -> None:
    assert push_repository(text) == repository


@pytest.mark.parametrize("text", ["edges", "edges:1", "docker.io/edges", "", DIGEST])
def test_nobody_can_push_to_a_name_without_a_namespace(text: str) -> None:
    with pytest.raises(StoppedError) as caught:
        push_repository(text)
    assert caught.value.reason.code is Code.IMAGE_NAME_INVALID
    assert "registry.example.com/team/edges" in caught.value.reason.next_step


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("acme/edges:1", f"docker.io/acme/edges@{DIGEST}", True),
        ("ubuntu", "library/ubuntu:20.04", True),
        ("acme/edges", "acme/edges2", False),
        ("acme/edges", "registry.acme.io/acme/edges", False),
        ("$IMAGE", "$IMAGE", False),
    ],
)
def test_repositories_are_compared_by_what_docker_makes_of_them(
    one: str, other: str, *, expected: bool
) -> None:
    assert same_repository(one, other) is expected


def test_tags_are_made_of_facts_and_plain_text() -> None:
    facts = TagFacts(SHA, "main", "v1.2", "2026-11-23")
    templates = ["{sha}", "{short_sha}", "{branch}-{date}", "{release}", "latest"]
    assert render_tags(templates, facts) == (SHA, "0123456", "main-2026-11-23", "v1.2", "latest")


@pytest.mark.parametrize(
    ("branch", "tag"),
    [("feature/x", "feature-x"), ("größe", "gr--e"), ("-x", "x"), ("a+b@c", "a-b-c")],
)
def test_what_a_tag_cannot_have_becomes_a_dash(branch: str, tag: str) -> None:
    assert render_tags(["{branch}"], TagFacts(SHA, branch, None, "2026-11-23")) == (tag,)


def test_a_template_without_its_fact_is_left_out() -> None:
    assert render_tags(["{release}", "{branch}", "{branch}-{release}"], FACTS) == ("main",)


@pytest.mark.parametrize("templates", [[], ["{release}"], ["{branch}"]])
def test_there_is_always_a_tag(templates: list[str]) -> None:
    assert render_tags(templates, TagFacts(SHA, "日本", None, "2026-11-23")) == (SHA,)


def test_equal_tags_are_given_once() -> None:
    assert render_tags(["main", "{sha}", "{branch}"], FACTS) == ("main", SHA)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{commit}", "{sha}, {short_sha}, {branch}, {release}, {date}"),
        ("{}", "{sha}"),
        ("{release}-{commit}", "{commit}"),
        ("v 1", "v 1"),
        ("-{sha}", "first"),
        ("{sha", "{sha"),
        ("", "''"),
        ("team/{sha}", "team/"),
        ("x" * 129, "129"),
        ("{sha}" * 4, "160"),
    ],
)
def test_a_bad_template_is_refused_by_name(template: str, said: str) -> None:
    reason = tag_refusal(template)
    assert reason.code is Code.TAG_INVALID
    assert repr(template) in reason.fact
    assert said in f"{reason.fact} {reason.next_step}"


@given(
    st.lists(
        st.sampled_from(["{sha}", "{short_sha}", "{branch}", "{release}", "{date}", "v-{date}"])
    ),
    st.none() | st.text(max_size=60),
    st.none() | st.text(max_size=60),
)
def test_whatever_the_facts_are_the_tags_are_valid(
    templates: list[str], branch: str | None, release: str | None
) -> None:
    tags = render_tags(templates, TagFacts(SHA, branch, release, "2026-11-23"))
    assert tags
    assert len(set(tags)) == len(tags)
    for tag in tags:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", tag)
        assert parse_reference(f"acme/edges:{tag}").tag == tag

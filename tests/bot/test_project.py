"""What a project file may say, and what is said of one that is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reasons import Code, Reason, StoppedError
from bot.project import (
    Environment,
    JsonnetSource,
    Project,
    SpecsSource,
    json_schema,
    parse_project,
)

EVERYTHING = b"""
images:
  edges:
    context: edges
    dockerfile: docker/Dockerfile
    repository: registry.acme.io/vision/edges
    tags: ["{sha}", "{branch}"]
    target: runtime
    build_args: {PYTHON: "3.11"}
    secrets: [npm]
    test: [python, -m, pytest, -q]
    test_timeout: 1h30m
    test_memory: 2G
pipelines:
  - pipelines/*.json
  - specs: more/**/*.yaml
  - {jsonnet: template.jsonnet, args: {name: edges}}
environments:
  staging:
  production:
    project: vision
    cluster: prod
    verify: {timeout: 30m, window: 1m, rollback: false}
"""


def reason(text: str) -> Reason:
    with pytest.raises(StoppedError) as stopped:
        parse_project(text.encode())
    assert stopped.value.reason.code is Code.PROJECT_INVALID
    return stopped.value.reason


def outcome(text: bytes) -> Project | Reason:
    try:
        return parse_project(text)
    except StoppedError as error:
        return error.reason


def test_everything_that_can_be_declared_is_read() -> None:
    project = parse_project(EVERYTHING)
    edges = project.images["edges"]
    assert (edges.context, edges.dockerfile) == ("edges", "docker/Dockerfile")
    assert edges.tags == ("{sha}", "{branch}")
    assert edges.test == ("python", "-m", "pytest", "-q")
    assert (edges.test_timeout, edges.test_memory) == (5400, "2g")
    assert project.pipelines == (
        SpecsSource(specs="pipelines/*.json"),
        SpecsSource(specs="more/**/*.yaml"),
        JsonnetSource(jsonnet="template.jsonnet", args={"name": "edges"}),
    )
    assert project.environments["staging"] == Environment()
    production = project.environments["production"]
    assert (production.project, production.cluster) == ("vision", "prod")
    assert (production.verify.timeout, production.verify.window) == (1800, 60)
    assert not production.verify.rollback


@pytest.mark.parametrize("text", [b"", b"# nothing yet\n", b"{}", b"---\n", b"\xef\xbb\xbf{}"])
def test_empty_file_declares_nothing(text: bytes) -> None:
    assert parse_project(text) == Project()


def test_defaults_are_those_of_the_docs() -> None:
    edges = parse_project(b"images: {edges: {repository: acme/edges}}").images["edges"]
    assert (edges.context, edges.dockerfile, edges.tags) == (".", "Dockerfile", ("{sha}",))
    assert (edges.test, edges.test_timeout, edges.test_memory) == (None, 600, "512m")


def test_test_as_a_string_is_a_shell_command() -> None:
    text = b"images: {edges: {repository: acme/edges, test: 'pytest -q && true'}}"
    assert parse_project(text).images["edges"].test == ("sh", "-c", "pytest -q && true")


def test_mistake_names_file_line_and_field() -> None:
    found = reason("images:\n  edges:\n    repository: acme/edges\n    tags: latest\n")
    assert found.where == ".pachops.yml:4: images.edges.tags"


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("image: {}", "'image' is not known; 'images' is"),
        ("images: {e: {repositry: a/b}}", "'repositry' is not known; 'repository' is"),
        ("environments: {e: {verify: {windw: 3s}}}", "'windw' is not known; 'window' is"),
        ("pipelines: [{spec: a.json}]", "'spec' is not known; 'specs' is"),
        ("zzz: 1", "'zzz' is not known; known are: environments, images, pipelines"),
        ("environments: {e: {notify: [ml]}}", "in quotes"),
        ("environments: {e: {notify: ['<!channel>']}}", "a channel's id"),
        ("environments: {e: {notify: ['#ml', '#ml']}}", "#ml twice"),
        ("images: {e: {}}", "is missing"),
        ("images: {e: {repository: 'a/b:1'}}", "without a tag"),
        ("images: {e: {repository: 'a/b@sha256:0'}}", "without a tag"),
        ("images: {e: {repository: 'https://a/b'}}", "such as registry.example.com/team/name"),
        ("images: {e: {repository: a/b, tags: [{sha}]}}", 'put it in quotes: "{sha}"'),
        ("images: {e: {repository: a/b, tags: [1.0]}}", "must be text; put it in quotes"),
        ("images: {e: {repository: a/b, tags: []}}", "must not be empty"),
        ("images: {e: {repository: a/b, build_args: {V: 3}}}", "put it in quotes"),
        ("images: {e: {repository: a/b, context: ../x}}", "without '..'"),
        ("images: {e: {repository: a/b, context: /x}}", "without a leading /"),
        ("images: {e: {repository: a/b, dockerfile: 'a\\b'}}", "with /"),
        ("images: {e: {repository: a/b, test: 5}}", "a list of words, or a string"),
        ("images: {e: {repository: a/b, test: ''}}", "a list of words, or a string"),
        ("images: {e: {repository: a/b, test_timeout: 30}}", "such as 90s, 10m or 1h30m"),
        ("images: {e: {repository: a/b, test_timeout: 0s}}", "more than 0"),
        ("images: {e: {repository: a/b, test_memory: 1m}}", "at least 6m"),
        ("images: {e: {repository: a/b, secrets: ['a b']}}", "letters, digits"),
        ("images: {Edges: {repository: a/b}}", "lower-case"),
        ("images: {1: {repository: a/b}}", "put it in quotes"),
        ("images: [edges]", "must be a mapping"),
        ("pipelines: a.json", "must be a list"),
        ("pipelines: [{specs: a, jsonnet: b}]", "write two entries"),
        ("pipelines: [{specs: a, args: {b: c}}]", "write jsonnet: PATH"),
        ("pipelines: [/a.json]", "without a leading /"),
        ("environments: {e: {verify: {rollback: maybe}}}", "must be true or false"),
        ("environments: {e: {project: 'a b'}}", "letters, digits"),
        ("- a", "must be a mapping"),
        ("a: [", "is not valid YAML"),
        ("a: 1\na: 2", "'a' is written twice"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("images:\n\te: 1", "indented with a tab"),
        ("a: &x 1\nb: *x", "aliases are not supported"),
        ("? [a]\n: 1", "a key must be text"),
        ("a: " + "9" * 5000, "cannot be read"),
        ("a: !!bool maybe", "cannot be read"),
        ('a: !!int ""', "cannot be read"),
        ("a: {<<: !!bool maybe}", "is not valid YAML"),
        ('a: "\\U00110000"', "cannot be read"),
        ("%YAML 1.9\n---\na: 1", "cannot be read"),
        ("[" * 3000, "nested too deep"),
        ("a: '\x07'", "control character"),
    ],
)
def test_mistake_is_said_with_what_to_write(text: str, fact: str) -> None:
    assert fact in reason(text).fact


@pytest.mark.parametrize("value", ["9" * 5000, "2026-13-45", "!!bool maybe", "[1, !!int x]"])
def test_a_value_that_cannot_be_read_is_named_by_its_line(value: str) -> None:
    assert reason(f"environments:\n  e:\n    approvals: {value}\n").where == ".pachops.yml:3"


def test_a_value_that_cannot_be_read_is_found_however_deep_it_is() -> None:
    fact = reason("[" * 49 + "!!int x" + "]" * 49).fact
    assert fact == "has a value that cannot be read"


@pytest.mark.parametrize("depth", [50, 300, 480, 3000])
def test_what_is_nested_too_deep_is_named_by_its_line(depth: int) -> None:
    found = reason("a:\n " + "[" * depth + "!!int x" + "]" * depth)
    assert found.where == ".pachops.yml:2"
    assert found.fact == "is nested too deep: 50 levels are the most"


def test_all_mistakes_are_listed() -> None:
    found = reason("images:\n  e:\n    context: /x\n    repository: a/b\nenvironment: {}\n")
    assert found.where == ".pachops.yml:3: images.e.context"
    first, context, environment = found.fact.splitlines()
    assert first == "2 problems"
    assert context.startswith(".pachops.yml:3: images.e.context: must be a path inside")
    assert environment == (
        ".pachops.yml:5: environment: 'environment' is not known; 'environments' is"
    )


def test_key_that_is_misspelt_is_not_also_missing() -> None:
    assert "problems" not in reason("images: {e: {repositry: a/b}}").fact


def test_many_mistakes_are_counted_and_the_first_five_shown() -> None:
    found = reason("\n".join(f"wrong{number}: 1" for number in range(8)))
    assert found.fact.splitlines()[0] == "8 problems"
    assert found.fact.splitlines()[-1] == "and 3 more"
    assert len(found.fact.splitlines()) == 7


def test_huge_file_is_refused_before_it_is_parsed() -> None:
    assert "256 KiB" in reason("#" * 300_000).fact


def test_text_that_is_not_utf8_is_refused_with_its_line() -> None:
    with pytest.raises(StoppedError) as stopped:
        parse_project(b"images:\n  a: \xff\n")
    assert stopped.value.reason.where == ".pachops.yml:2"


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_no_input_gives_anything_but_a_project_or_a_reason(text: bytes) -> None:
    assert isinstance(outcome(text), Project | Reason)


KEYS = st.sampled_from(
    ["images", "pipelines", "environments", "edges", "repository", "tags", "specs", "verify", "x"]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), KEYS, st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_no_shape_gives_anything_but_a_project_or_a_reason(value: dict[str, Any]) -> None:
    assert isinstance(outcome(json.dumps(value).encode()), Project | Reason)


# --- environments

TWO = parse_project(b"environments: {staging: {}, production: {}}")


def test_without_environments_there_is_the_default_one() -> None:
    assert Project().environment(None) == ("default", Environment())


def test_single_environment_needs_no_name() -> None:
    project = parse_project(b"environments: {staging: {project: vision}}")
    assert project.environment(None) == ("staging", Environment(project="vision"))


def test_named_environment_is_found() -> None:
    assert TWO.environment("production")[0] == "production"


def test_several_environments_need_a_name() -> None:
    with pytest.raises(StoppedError) as stopped:
        TWO.environment(None)
    assert stopped.value.reason.code is Code.ENVIRONMENT_UNKNOWN
    assert stopped.value.reason.next_step == "Say which with `--to`: staging, production."


def test_unknown_environment_is_answered_with_the_nearest() -> None:
    with pytest.raises(StoppedError) as stopped:
        TWO.environment("prodution")
    assert stopped.value.reason.code is Code.ENVIRONMENT_UNKNOWN
    assert stopped.value.reason.next_step == "Did you mean `--to production`?"


def test_default_is_unknown_where_environments_are_declared() -> None:
    with pytest.raises(StoppedError) as stopped:
        TWO.environment("default")
    assert "staging, production" in stopped.value.reason.fact


# --- the schema


def test_schema_names_every_key_with_its_default_as_it_is_written() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == {"images", "pipelines", "environments"}
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Image"]["properties"]["test_timeout"]["default"] == "10m"
    assert {"type": "string"} in schema["properties"]["pipelines"]["items"]["anyOf"]


def test_schema_is_json() -> None:
    assert json.loads(json.dumps(json_schema())) == json_schema()


def test_environment_of_a_repository_without_any_is_answered_without_a_place() -> None:
    with pytest.raises(StoppedError, match=r"has no \.pachops\.yml that declares") as stopped:
        parse_project(b"").environment("prod")
    assert stopped.value.reason.code is Code.ENVIRONMENT_UNKNOWN
    assert stopped.value.reason.where is None
    assert "--to" in stopped.value.reason.next_step

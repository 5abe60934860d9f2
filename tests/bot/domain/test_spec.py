import json
import pickle

import pytest

from bot.domain.reasons import Code, Reason, StoppedError
from bot.domain.spec import LARGEST_FILE, Spec, read_specs, to_json, with_image, with_project

NAMED = "pipeline: {name: edges}\n"


def read_one(text: str | bytes) -> Spec:
    (spec,) = read_specs("edges.yaml", text)
    return spec


def value_of(text: str, field: str) -> object:
    """What `field: text` is in a YAML spec."""
    return read_one(f"{NAMED}{field}: {text}\n").body[field]


def refusal(text: str | bytes) -> Reason:
    with pytest.raises(StoppedError) as caught:
        read_specs("edges.yaml", text)
    return caught.value.reason


def test_tells_what_a_spec_is_about() -> None:
    spec = read_one(
        "pipeline: {project: {name: vision}, name: edges}\n"
        "transform: {image: acme/edges:1}\n"
        "input: {pfs: {project: raw, repo: images, glob: /}}\n"
    )
    assert (spec.project, spec.name, spec.image) == ("vision", "edges", "acme/edges:1")
    assert spec.inputs == (("raw", "images"),)
    assert spec.place == "edges.yaml"
    assert spec.line == 1


def test_a_spec_without_image_stays_without_one() -> None:
    spec = read_one(NAMED)
    assert spec.image is None
    assert to_json(spec) == '{"pipeline":{"name":"edges"}}'


def test_inputs_are_found_at_every_depth_but_cron_is_none() -> None:
    spec = read_one(
        NAMED + "input:\n"
        "  cross:\n"
        "  - union: [{pfs: {repo: a}}, {join: [{pfs: {repo: b}}, {group: [{pfs: {repo: c}}]}]}]\n"
        "  - cron: {name: tick, spec: '@daily'}\n"
        "  - pfs: {repo: a}\n"
    )
    assert spec.inputs == ((None, "a"), (None, "b"), (None, "c"))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('{"pipeline": {"name": "a"}}\n---\n{"pipeline": {"name": "b"}}', [1, 3]),
        ('---\n{"pipeline": {"name": "a"}}\n---\n\n{"pipeline": {"name": "b"}}\n', [2, 5]),
        ("---\npipeline:\n  name: a\n...\n---\n" + '{"pipeline": {"name": "b"}}\n', [2, 6]),
        ("# two\npipeline: {name: a}\n--- # next\npipeline: {name: b}", [2, 4]),
        ("- pipeline: {name: a}\n- pipeline: {name: b}\n", [1, 2]),
        ('[\n{"pipeline": {"name": "a"}},\n{"pipeline": {"name": "b"}}]', [2, 3]),
        ("pipeline: {name: a}\r\n---\r\npipeline: {name: b}\r\n", [1, 3]),
    ],
)
def test_several_specs_in_one_file(text: str, lines: list[int]) -> None:
    specs = read_specs("many.yaml", text)
    assert [spec.name for spec in specs] == ["a", "b"]
    assert [spec.line for spec in specs] == lines
    assert specs[1].place == "many.yaml, document 2"


@pytest.mark.parametrize(
    "text",
    [
        '{\n\t"pipeline":\t{"name": "edges"}\n}',
        '\t{"pipeline": {"name": "edges"}}',
        '{\n\t"pipeline": {"name": "edges"},\t# a comment\n}',
        "pipeline:\t{name:\tedges}\t# a comment\n",
        "\ufeff" + NAMED,
        NAMED.encode("utf-8-sig"),
        NAMED.encode("utf-16"),
        "%YAML 1.1\n---\n" + NAMED,
    ],
)
def test_tabs_comments_and_byte_order_marks_are_read(text: str | bytes) -> None:
    assert read_one(text).body == {"pipeline": {"name": "edges"}}


def test_a_tab_inside_a_plain_yaml_string_stays() -> None:
    assert value_of("a\tb", "description") == "a\tb"


@pytest.mark.parametrize(
    "text", ["on", "yes", "NO", "1:30", "12e4567", "0xdeadbeefdeadbeefdeadbeef", "2026-13-45", "v1"]
)
def test_words_that_other_readers_change_are_strings(text: str) -> None:
    assert value_of(text, "description") == text


def test_variables_are_left_alone() -> None:
    text = NAMED + "transform: {image: $REGISTRY/edges:$TAG, cmd: [sh, -c, 'echo ${HOME}']}"
    assert read_one(text).body["transform"] == {
        "image": "$REGISTRY/edges:$TAG",
        "cmd": ["sh", "-c", "echo ${HOME}"],
    }


def test_heredocs_and_block_texts_keep_their_lines() -> None:
    text = NAMED + "transform:\n  stdin:\n  - |\n    cat <<EOF\n    \tx\n    EOF\n  - b\n"
    assert read_one(text).body["transform"] == {"stdin": ["cat <<EOF\n\tx\nEOF\n", "b"]}


def test_a_number_is_written_as_it_was() -> None:
    text = (
        '{"pipeline":{"name":"edges"},"resource_requests":{"cpu":1.10},"datum_tries":1e1,'
        '"parallelism_spec":{"constant":18446744073709551615},'
        '"datum_set_spec":{"number":"9223372036854775807","size_bytes":9007199254740993.0}}'
    )
    assert to_json(read_one(text)) == text
    assert to_json(read_one(text + " # as YAML")) == text


def test_a_spec_survives_being_stored() -> None:
    spec = read_one('{"pipeline":{"name":"edges"},"resource_requests":{"cpu":1.10}}')
    assert to_json(pickle.loads(pickle.dumps(spec))) == to_json(spec)  # noqa: S301 - our own


def test_the_leading_zero_that_json_wants_is_added() -> None:
    assert to_json(read_one(NAMED + "resource_requests: {cpu: .5}")).endswith('{"cpu":0.5}}')


def test_schema_tags_of_editors_are_left_out() -> None:
    text = '{"$schema": "https://example.com/x.json", "pipeline": {"name": "edges"}}'
    assert read_one(text).body == {"pipeline": {"name": "edges"}}
    assert read_one(text + "#").body == {"pipeline": {"name": "edges"}}


def test_of_a_key_that_is_written_twice_the_last_counts() -> None:
    for text in ('{"pipeline":{"name":"a","name":"b"}}', "pipeline: {name: a, name: b}"):
        assert read_one(text).name == "b"


def test_the_line_of_a_key_that_is_written_twice_is_the_last_ones() -> None:
    for end in ("", "#"):
        text = '{"pipeline": {"name": "a"},\n"salt": {"a": 1},\n"salt": 1}'
        assert refusal(text + end).where == "edges.yaml:3: salt"


def test_anchors_without_aliases_and_plain_tags_are_legal() -> None:
    spec = read_one("pipeline: &p {name: !!str 7}\ndatum_tries: !!int 3\nautoscaling: !!bool true")
    assert spec.body == {"pipeline": {"name": "7"}, "datum_tries": 3, "autoscaling": True}


@pytest.mark.parametrize(
    "field",
    [
        "datum_tries: 3",
        'datumTries: "3"',
        "datum_tries: 3.0",
        "autoscaling: false",
        "transform: null",
        "datum_timeout: 60s",
        "datumTimeout: 0.5s",
        "job_timeout: -.000000001s",
        "tolerations: [{operator: EXISTS, effect: 3, toleration_seconds: '60'}]",
        "egress: {URL: 's3://bucket/dir'}",
        "egress: {sql_database: {url: x, file_format: {type: CSV, columns: [a]}}}",
        "egress: {object_storage: {url: x}, sql_database: null}",
        "input: {cron: {name: t, spec: '@every 1h', start: '2026-11-23T06:00:00.5+01:00'}}",
        "input: {pfs: {repo: a, glob: /, s3: true, lazy: true, emptyFiles: true, joinOn: $1}}",
        "spout: {service: {internal_port: 80, external_port: 30080}}",
        'pod_patch: \'[{"op": "add"}]\'',
        "s3_out: true",
        "metadata: {labels: {a.b/c: d}, annotations: {snake_case_key: x}}",
        "scheduling_spec: {node_selector: {disk: ssd}, priority_class_name: high}",
        "transform: {secrets: [{name: s, key: k, env_var: E}, {name: s, mountPath: /s}]}",
        "resource_requests: {cpu: 'NaN', gpu: {type: nvidia.com/gpu, number: 1}}",
        "update: true",
        "reprocess: true",
        "determined: {workspaces: [a]}",
        "maximum_expected_uptime: 3600s",
    ],
)
def test_what_pachd_takes_is_taken(field: str) -> None:
    assert read_one(f"{NAMED}{field}\n").name == "edges"


@pytest.mark.parametrize(
    ("text", "where", "next_step"),
    [
        (NAMED + "transform:\n  imge: x\n", "edges.yaml:3: transform.imge", "image"),
        ('{"pipeline": {"name": "a"},\n\t"datumTmeout": 1}', ":2: datumTmeout", "datumTimeout"),
        (NAMED + "datum_tmeout: 1s", ":2: datum_tmeout", "datum_timeout"),
        (NAMED + "image: x", ":2: image", "under transform"),
        (NAMED + "input: {cross: [{glob: /}]}", ":2: input.cross[0].glob", "input.cross[0].pfs"),
        (NAMED + "egress: {url: x}", ":2: egress.url", "URL"),
        (NAMED + "zzzz: x", ":2: zzzz", "transform"),
        ('[\n{"pipeline": {"name": "a"}},\n{"pipeline":\n {"nam": "a"}}]', ":4: pipeline", "name"),
        (NAMED + "---\n" + NAMED + "imag: x\n", ":4: imag", "transform.image"),
    ],
)
def test_an_unknown_field_is_refused_with_the_nearest_one(
    text: str, where: str, next_step: str
) -> None:
    reason = refusal(text)
    assert reason.code is Code.SPEC_FIELD_UNKNOWN
    assert where in str(reason.where)
    assert next_step in reason.next_step


@pytest.mark.parametrize(
    ("field", "path", "next_step"),
    [
        ("input: {atom: {repo: a}}", "input.atom", "`pfs`"),
        ("input: {cross: [{git: {url: a}}]}", "input.cross[0].git", "no git input"),
        ("parallelism_spec: {coefficient: 1}", "parallelism_spec.coefficient", "`constant`"),
        ("parallelismSpec: {strategy: CONSTANT}", "parallelismSpec.strategy", "`constant`"),
        ("inputs: [{repo: a}]", "inputs", "`input`"),
        ("standby: true", "standby", "`autoscaling: true`"),
        ("enable_stats: true", "enable_stats", "always"),
        ("enableStats: true", "enableStats", "always"),
        ("cache_size: 1G", "cache_size", "Take it out"),
        ("max_queue_size: 1", "max_queue_size", "Take it out"),
        ("chunk_spec: {number: 1}", "chunk_spec", "`datum_set_spec`"),
    ],
)
def test_what_pachyderm_1_had_is_refused_with_what_to_write(
    field: str, path: str, next_step: str
) -> None:
    reason = refusal(NAMED + field)
    assert reason.code is Code.SPEC_OUTDATED
    assert reason.where == f"edges.yaml:2: {path}"
    assert next_step in reason.next_step


@pytest.mark.parametrize(
    ("text", "write"),
    [
        ("1h", "3600s"),
        ("1h30m", "5400s"),
        ("500ms", "0.5s"),
        ("2d", "172800s"),
        ("90", '"90s"'),
        ("'90'", "90s"),
        ("1.5", '"1.5s"'),
        ("soon", "such as 3600s"),
        ("1.0000000001s", "1.0000000001s"),
    ],
)
def test_a_duration_that_is_not_in_seconds_is_worked_out(text: str, write: str) -> None:
    reason = refusal(f"{NAMED}datum_timeout: {text}")
    assert reason.code is Code.SPEC_INVALID
    assert reason.where == "edges.yaml:2: datum_timeout"
    assert write in reason.next_step


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("pipeline: &p {name: a}\ntransform: *p", ":2: transform", "alias"),
        ("pipeline: {name: a}\n<<: {salt: b}", ":2", "merges"),
        (NAMED + "description: 2026-11-23", ":2: description", '"2026-11-23"'),
        (NAMED + "salt: 2026-11-23T06:00:00Z", ":2: salt", "in quotes"),
        (NAMED + "salt: !secret x", ":2: salt", "tag !secret"),
        (NAMED + "datum_tries: 0x10", ":2: datum_tries", "Write 16"),
        (NAMED + "datum_tries: 010", ":2: datum_tries", "Write 8"),
        (NAMED + "datum_tries: 1_000", ":2: datum_tries", "Write 1000"),
        (NAMED + "datum_tries: +3", ":2: datum_tries", "Write 3"),
        (NAMED + "resource_limits: {cpu: .inf}", ":2: resource_limits.cpu", "in quotes"),
        (NAMED + "datum_tries: 1.5", ":2: datum_tries", "whole number"),
        (NAMED + "datum_tries: 9223372036854775808", ":2: datum_tries", "out of range"),
        (NAMED + "parallelism_spec: {constant: -1}", ":2: parallelism_spec.constant", "range"),
        (NAMED + "resource_limits: {cpu: 1e39}", ":2: resource_limits.cpu", "too large"),
        (NAMED + "autoscaling: yes", ":2: autoscaling", "true or false"),
        (NAMED + 'autoscaling: "true"', ":2: autoscaling", "true or false"),
        (NAMED + "transform: {env: {PORT: 80}}", ":2: transform.env.PORT", "in quotes"),
        (NAMED + "transform: {env: {PORT: null}}", ":2: transform.env.PORT", "null"),
        (NAMED + "transform: {cmd: sh}", ":2: transform.cmd", "list"),
        (NAMED + "transform: {cmd: [sh, null]}", ":2: transform.cmd[1]", "null"),
        (NAMED + "transform: []", ":2: transform", "mapping"),
        (NAMED + "tolerations: [{operator: Exists}]", ":2: tolerations[0].operator", "EXISTS"),
        (NAMED + "input: {cron: {start: today}}", ":2: input.cron.start", "2026-"),
        (NAMED + "datum_timeout: 1s\ndatumTimeout: null", ":3: datumTimeout", "same field"),
        (NAMED + "egress: {object_storage: {}, sqlDatabase: {}}", "sqlDatabase", "both"),
        (NAMED + "metadata: {labels: {'a.b/c': 1}}", ':2: metadata.labels["a.b/c"]', "string"),
        ("salt: x", ":1", "pipeline.name"),
        ("pipeline: {}", ":1: pipeline", "pipeline.name"),
        ("pipeline: {name: ''}", ":1: pipeline", "pipeline.name"),
        ("pipeline: edges", ":1: pipeline", "mapping"),
        ("1: x", ":1", "quotes"),
        ("{[a]: b}", ":1", "a key is a list"),
        ('{"pipeline": {"name": "\\ud800"}}', ":1: pipeline.name", "half of a character"),
    ],
)
def test_what_pachd_refuses_is_refused_with_its_place(text: str, where: str, said: str) -> None:
    reason = refusal(text)
    assert reason.code is Code.SPEC_INVALID
    assert str(reason.where).startswith("edges.yaml:")
    assert where in str(reason.where)
    assert said in f"{reason.fact} {reason.next_step}"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"pipeline": {"name": "a"}}{"pipeline": {"name": "b"}}', "edges.yaml:1:28"),
        ('{"pipeline": {"name": "a"}}\n{"pipeline": {"name": "b"}}\n', "edges.yaml:2:1"),
    ],
)
def test_json_objects_one_after_another_need_a_line_between(text: str, where: str) -> None:
    reason = refusal(text)
    assert reason.code is Code.SPEC_INVALID
    assert reason.where == where
    assert "Put ---" in reason.next_step


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"pipeline": {"name": "a"},\n "salt" "b"}', "edges.yaml:2:9"),
        ('{"pipeline": {"name": "a"', "edges.yaml:1:26"),
        ('{"pipeline":\n {"name": "a', "edges.yaml:2:11"),
        ("pipeline: {name: a}\nsalt: a: b", "edges.yaml:2:8"),
        ("pipeline:\n\tname: a", "edges.yaml:2:1"),
        ("pipeline: {name: a}\nsalt: \x01", "edges.yaml:2"),
        (b"pipeline: {name: a}\nsalt: \xff", "edges.yaml:2"),
        ('pipeline: {name: a}\nsalt: "\\UFFFFFFFF"', "edges.yaml:2"),
        ("%YAML 1.9\n---\npipeline: {name: a}", "edges.yaml:1"),
    ],
)
def test_broken_text_is_refused_with_line_and_column(text: str | bytes, where: str) -> None:
    reason = refusal(text)
    assert reason.code is Code.SPEC_INVALID
    assert reason.where == where


@pytest.mark.parametrize(
    "text", ["", " \n", "# nothing\n", "[]", "---\n", NAMED + "---\n", "a", b""]
)
def test_a_document_without_a_spec_is_refused(text: str | bytes) -> None:
    reason = refusal(text)
    assert reason.code is Code.SPEC_INVALID
    assert "pipeline: {name: edges}" in reason.next_step


@pytest.mark.parametrize(
    "text", ["[" * 200 + "]" * 200, "[" * 100_000, '{"a":' * 5000, "a: " + "[" * 200 + "]" * 200]
)
def test_deep_nesting_is_refused(text: str) -> None:
    assert "nested" in refusal(text).fact


def test_as_many_levels_as_any_spec_needs_are_read() -> None:
    deep = '{"cross":[' * 45 + '{"pfs":{"repo":"a"}}' + "]}" * 45
    text = f'{{"pipeline":{{"name":"edges"}},"input":{deep}}}'
    assert read_one(text).inputs == read_one(text + "#").inputs == ((None, "a"),)


def test_a_huge_file_is_refused() -> None:
    assert "bytes" in refusal(NAMED + "#" * LARGEST_FILE).fact


def test_a_huge_number_is_refused() -> None:
    assert "out of range" in refusal(NAMED + "datum_tries: " + "9" * 300).fact


def test_the_value_of_a_wrong_environment_variable_is_not_repeated() -> None:
    reason = refusal(NAMED + "transform: {env: {PIN: 271828}}")
    assert "271828" not in f"{reason.fact} {reason.next_step}"


def test_only_the_image_changes() -> None:
    body = {"transform": {"cmd": ["a"], "image": "a:1", "env": {}}, "pipeline": {"name": "edges"}}
    spec = with_image(read_one(json.dumps(body)), "b:2@sha256:0")
    assert spec.image == "b:2@sha256:0"
    assert to_json(spec) == (
        '{"transform":{"cmd":["a"],"image":"b:2@sha256:0","env":{}},"pipeline":{"name":"edges"}}'
    )


def test_the_spec_that_an_image_is_set_in_is_not_touched() -> None:
    spec = read_one(NAMED + "transform: {image: 'a:1'}")
    with_image(spec, "b:2")
    assert to_json(spec) == '{"pipeline":{"name":"edges"},"transform":{"image":"a:1"}}'


@pytest.mark.parametrize("project", ["", ",project: null", ",project: {}", ",project: {name: ''}"])
def test_a_missing_project_is_filled_in(project: str) -> None:
    spec = with_project(read_one(f"pipeline: {{name: edges{project}}}"), "vision")
    assert spec.project == "vision"
    assert spec.body["pipeline"] == {"name": "edges", "project": {"name": "vision"}}


def test_a_project_that_the_spec_names_stays() -> None:
    spec = with_project(read_one("pipeline: {name: edges, project: {name: raw}}"), "vision")
    assert spec.project == "raw"
    assert spec.body == {"pipeline": {"name": "edges", "project": {"name": "raw"}}}

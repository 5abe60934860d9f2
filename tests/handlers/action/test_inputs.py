from pathlib import Path

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.settings import load_settings
from handlers.action.inputs import (
    check_complete,
    named_as_inputs,
    read_inputs,
    settings_variables,
)

SETTINGS = """
clusters:
  default: {address: "grpc://pachd:30650"}
  research: {address: "grpcs://research:443"}
"""


def test_empty_inputs_are_not_given() -> None:
    inputs = read_inputs({"INPUT_ENVIRONMENT": "", "INPUT_ONLY": "\n", "INPUT_REPROCESS": "false"})
    assert (inputs.environment, inputs.only, inputs.reprocess) == (None, (), False)


def test_lists_have_commas_or_lines() -> None:
    assert read_inputs({"INPUT_ONLY": "edges, montage\nother"}).only == (
        "edges",
        "montage",
        "other",
    )


@pytest.mark.parametrize("value", ["true", "True", "TRUE"])
def test_booleans_are_yamls(value: str) -> None:
    assert read_inputs({"INPUT_DRY_RUN": value}).dry_run


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(StoppedError) as stopped:
        read_inputs({"INPUT_DRY_RUN": "yes", "INPUT_REPROCESS": "1", "INPUT_REPORT": "coment"})
    reason = stopped.value.reason
    assert reason.code is Code.BAD_INPUT
    assert [word in reason.fact for word in ("`dry-run`", "`reprocess`", "comment?")] == [True] * 3


def test_without_a_cluster_the_input_is_named() -> None:
    with pytest.raises(StoppedError, match="pachd-address"):
        check_complete(read_inputs({}), {})


@pytest.mark.parametrize("variable", ["PACHOPS_PACHD_ADDRESS", "PACHOPS_SETTINGS_FILE"])
def test_a_setting_serves_instead(variable: str) -> None:
    check_complete(read_inputs({}), {variable: "given"})


@pytest.mark.parametrize(
    ("given", "where", "fact"),
    [
        ({"INPUT_PACHD_ADDRESS": "pachd:30650"}, "with: pachd-address", "grpc://HOST:PORT"),
        ({"INPUT_SETTINGS": "clusters: ["}, "with: settings:2", "YAML"),
        ({"INPUT_SETTINGS": "\ncluster: {}"}, "with: settings:1: cluster", "'clusters' is"),
    ],
)
def test_what_is_wrong_is_named_as_the_workflow_has_it(
    tmp_path: Path, given: dict[str, str], where: str, fact: str
) -> None:
    inputs = read_inputs(given)
    variables = settings_variables(inputs, {"HOME": str(tmp_path)}, tmp_path)
    with pytest.raises(StoppedError) as stopped:
        load_settings(variables)
    reason = named_as_inputs(stopped.value, inputs, tmp_path).reason
    assert (reason.code, reason.where) == (Code.BAD_INPUT, where)
    assert fact in reason.fact
    assert "`with:`" in reason.next_step


def test_several_faults_are_named_so_too_and_a_variables_stays_its_own(tmp_path: Path) -> None:
    inputs = read_inputs({"INPUT_SETTINGS": "web: {port: -1}\nlog_level: loud"})
    variables = settings_variables(inputs, {"HOME": str(tmp_path)}, tmp_path)
    with pytest.raises(StoppedError) as stopped:
        load_settings(variables)
    fact = named_as_inputs(stopped.value, inputs, tmp_path).reason.fact
    assert "with: settings:1: web.port" in fact
    assert str(tmp_path) not in fact
    with pytest.raises(StoppedError) as stopped:
        load_settings({"HOME": str(tmp_path), "PACHOPS_TIMEOUT_BUILD": "soon"})
    assert named_as_inputs(stopped.value, inputs, tmp_path) is stopped.value


def test_a_text_of_settings_is_read_and_nobody_elses_to_read(tmp_path: Path) -> None:
    inputs = read_inputs({"INPUT_SETTINGS": SETTINGS, "INPUT_PACHD_TOKEN": "robot"})
    check_complete(inputs, {})
    variables = settings_variables(inputs, {"HOME": str(tmp_path)}, tmp_path)
    settings = load_settings(variables)
    assert set(settings.clusters) == {"default", "research"}
    assert Path(variables["PACHOPS_SETTINGS_FILE"]).stat().st_mode & 0o077 == 0


def test_an_input_goes_before_the_jobs_variable(tmp_path: Path) -> None:
    environ = {"PACHOPS_PACHD_ADDRESS": "grpc://of-the-job:1", "HOME": str(tmp_path)}
    inputs = read_inputs({"INPUT_PACHD_ADDRESS": "grpc://of-the-step:2"})
    settings = load_settings(settings_variables(inputs, environ, tmp_path))
    assert settings.cluster("default").address == "grpc://of-the-step:2"

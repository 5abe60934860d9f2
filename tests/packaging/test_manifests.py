"""The files with which others run us, held against their schemas and against our own settings."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.settings.sources import SETTINGS_FILE, VARIABLES
from tests.docs.guides import GUIDES, project_files, settings_files, workflows
from tests.packaging.conftest import ROOT, Run

KUBERNETES = ROOT / "deploy" / "kubernetes"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SETTINGS_SCHEMA = ROOT / "docs" / "settings.schema.json"
CHECK_JSONSCHEMA = "check-jsonschema==0.39.0"
KUBERNETES_VALIDATE = "kubernetes-validate==1.37.0"
ZIZMOR = "zizmor==1.32.0"
OLDEST, NEWEST = "1.30.0", "1.34.0"
_SHA = re.compile(r"[\w./-]+@[0-9a-f]{40}")
_OTHERS = {"DOCKER_CONFIG", "DOCKER_HOST"}


def documents(file: Path) -> list[Any]:
    return list(YAML(typ="safe").load_all(file))


def containers(kind: str | None = None) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Component, pod and container, of ours alone."""
    for file in ("serve.yaml", "worker.yaml"):
        for each in documents(KUBERNETES / file):
            if each["kind"] in {"Deployment", "StatefulSet"} and kind in {None, each["kind"]}:
                pod = each["spec"]["template"]["spec"]
                yield each["metadata"]["name"], pod, pod["containers"][0]


def variables() -> set[str]:
    """Every setting that a manifest sets."""
    compose = YAML(typ="safe").load(ROOT / "compose.yaml")
    found = {name for each in compose["services"].values() for name in each.get("environment", {})}
    found |= {each["name"] for _, _, container in containers() for each in container["env"]}
    return {name for name in found if not name.startswith("POSTGRES_")}


@pytest.mark.real
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_takes_the_manifests(uv: Run, version: str) -> None:
    files = [KUBERNETES / name for name in ("namespace.yaml", "serve.yaml", "worker.yaml")]
    command = ["kubernetes-validate", "--strict", "--kubernetes-version", version]
    checked = uv("tool", "run", "--quiet", "--from", KUBERNETES_VALIDATE, *command, *files)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.real
@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-actions", [ROOT / "action.yml"]),
        ("vendor.compose-spec", [ROOT / "compose.yaml"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_schema_takes_it(uv: Run, schema: str, files: list[Path]) -> None:
    command = ["check-jsonschema", "--builtin-schema", schema]
    checked = uv("tool", "run", "--quiet", "--from", CHECK_JSONSCHEMA, *command, *files)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.real
def test_no_workflow_is_open_to_attack(uv: Run) -> None:
    files = [ROOT / "action.yml", *WORKFLOWS]
    checked = uv("tool", "run", "--quiet", ZIZMOR, "--offline", "--no-progress", *files)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("file", [ROOT / "action.yml", *WORKFLOWS], ids=lambda file: file.name)
def test_actions_of_others_are_pinned_by_their_commit(file: Path) -> None:
    used = re.findall(r"uses: (\S+)", file.read_text())
    assert not [each for each in used if not _SHA.fullmatch(each)]


def test_the_manifests_set_settings_that_exist() -> None:
    assert variables() - {*VARIABLES, SETTINGS_FILE, *_OTHERS} == set()


def test_ours_run_as_nobody_on_a_disk_that_they_cannot_change() -> None:
    found = list(containers())
    assert {name for name, _, _ in found} == {"serve", "worker"}
    for _, pod, container in found:
        security = container["securityContext"]
        assert pod["securityContext"]["runAsUser"] == 10001
        assert security["readOnlyRootFilesystem"]
        assert not security["allowPrivilegeEscalation"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert not pod["automountServiceAccountToken"]


def test_no_secret_stands_in_a_manifest() -> None:
    for _, _, container in containers():
        assert all(set(each) == {"name", "value"} for each in container["env"])
    names = {each["name"] for _, _, container in containers() for each in container["env"]}
    assert not [name for name in names if re.search("TOKEN|SECRET|PASSWORD|KEY", name)]


def test_what_serves_is_asked_whether_it_is_well_and_ready() -> None:
    ((_, _, serve),) = containers("Deployment")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert serve[probe]["httpGet"]["port"] == "http"


def test_a_worker_is_asked_whether_it_is_well() -> None:
    ((_, _, worker),) = containers("StatefulSet")
    assert {"startupProbe", "livenessProbe"} <= worker.keys()
    (port,) = worker["ports"]
    given = {each["name"]: each["value"] for each in worker["env"]}
    assert given["PACHOPS_WEB_WORKER_PORT"] == str(port["containerPort"])


def test_the_kustomization_has_every_manifest() -> None:
    (found,) = documents(KUBERNETES / "kustomization.yaml")
    manifests = {file.name for file in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(found["resources"]) == manifests


@pytest.mark.real
def test_editors_take_the_project_files_that_the_guides_show(uv: Run, tmp_path: Path) -> None:
    schema = ROOT / "docs" / "pachops.schema.json"
    files = _written(tmp_path, [text for page in GUIDES for text in project_files(page)])
    command = ["check-jsonschema", "--schemafile", schema]
    checked = uv("tool", "run", "--quiet", "--from", CHECK_JSONSCHEMA, *command, *files)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.real
def test_editors_take_the_settings_files_that_the_guides_show(uv: Run, tmp_path: Path) -> None:
    texts = [text for page in GUIDES for text in settings_files(page)]
    assert any("password_file" in text for text in texts)
    files = _written(tmp_path, texts)
    command = ["check-jsonschema", "--schemafile", SETTINGS_SCHEMA]
    checked = uv("tool", "run", "--quiet", "--from", CHECK_JSONSCHEMA, *command, *files)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.real
def test_editors_mark_what_is_wrong_in_a_settings_file(uv: Run, tmp_path: Path) -> None:
    wrong = [
        "parallel_build: 2\n",
        "github: {token: a, token_file: /b}\n",
        "git_logins: {git.example.com: {username: pachops}}\n",
        "timeouts: {build: 60}\n",
    ]
    files = _written(tmp_path, wrong)
    command = ["check-jsonschema", "--schemafile", SETTINGS_SCHEMA, "--output-format", "json"]
    checked = uv("tool", "run", "--quiet", "--from", CHECK_JSONSCHEMA, *command, *files)
    marked = {each["filename"] for each in json.loads(checked.stdout)["errors"]}
    assert marked == set(map(str, files))


@pytest.mark.real
def test_the_workflows_that_the_guides_show_are_workflows(uv: Run, tmp_path: Path) -> None:
    files = _written(tmp_path, [text for page in GUIDES for text in workflows(page)])
    command = ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"]
    checked = uv("tool", "run", "--quiet", "--from", CHECK_JSONSCHEMA, *command, *files)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _written(folder: Path, texts: list[str]) -> list[Path]:
    files = [folder / f"{number}.yml" for number, _ in enumerate(texts)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    assert files
    return files

"""Every real spec that is kept beside the project, or at PACHOPS_SPECS."""

import json
import os
from pathlib import Path

import pytest

from bot.domain.spec import read_specs, to_json, with_image

FOLDER = Path(os.environ.get("PACHOPS_SPECS") or Path(__file__).parents[4] / "shared" / "specs")
FILES = sorted(path for path in FOLDER.rglob("*.*") if path.suffix in (".json", ".yaml", ".yml"))
IMAGE = "registry.acme.io/vision/edges:1@sha256:" + "a" * 64


def is_plain_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except json.JSONDecodeError:
        return False
    return True


@pytest.fixture(scope="module", autouse=True)
def _real_specs() -> None:
    if FILES:
        return
    message = f"the real specs are not at {FOLDER}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def test_all_of_them_are_here() -> None:
    assert len(FILES) == 66


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_only_the_image_changes(path: Path) -> None:
    for spec in read_specs(path.name, path.read_bytes()):
        before = json.loads(to_json(spec))
        after = json.loads(to_json(with_image(spec, IMAGE)))
        assert after.pop("transform") == {**before.pop("transform", {}), "image": IMAGE}
        assert json.dumps(after) == json.dumps(before)


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix == ".json"], ids=lambda path: path.name
)
def test_json_means_the_same_as_yaml(path: Path) -> None:
    text = path.read_text()
    as_json = [to_json(spec) for spec in read_specs(path.name, text)]
    as_yaml = [to_json(spec) for spec in read_specs(path.name, f"{text} # not JSON")]
    assert as_json == as_yaml


@pytest.mark.parametrize(
    "path", [path for path in FILES if is_plain_json(path)], ids=lambda path: path.name
)
def test_nothing_of_the_file_is_lost(path: Path) -> None:
    written = json.loads(path.read_text())
    specs = [json.loads(to_json(spec)) for spec in read_specs(path.name, path.read_bytes())]
    assert specs == (written if isinstance(written, list) else [written])

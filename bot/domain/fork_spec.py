"""How far a fork's specs may differ from those of the default branch, and which it may not have."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.image import same_repository
from bot.domain.reasons import Code, StoppedError
from bot.domain.spec import Spec, difference, to_json

_FREE = frozenset({"description"})
_FREE_IN_TRANSFORM = frozenset({"cmd", "stdin", "errcmd", "errstdin", "acceptreturncode", "image"})
"""What a fork may change; in lower case and without `_`, as pachd reads both spellings."""
_RIGHTS = frozenset({"podspec", "podpatch", "egress", "determined"})
"""What brings secrets, accounts or machines of the cluster into the pipeline's pods."""


def check_specs(
    specs: Sequence[Spec], ours: Sequence[Spec], repositories: Mapping[str, str]
) -> None:
    """Refuse specs that would use our rights for something that the default branch does not do.

    Args:
        specs: the fork's, each with its project.
        ours: those of the default branch, each with its project.
        repositories: the repository of each of our own images.

    Raises:
        StoppedError: FORK_NEEDS_RIGHTS, with the spec and the field.
    """
    known = {(each.project, each.name): each for each in ours}
    for spec in specs:
        mine = known.get((spec.project, spec.name))
        if mine is None:
            fact = f"the default branch has no pipeline {spec.project}/{spec.name}"
            raise _refused(spec, fact, "pipeline")
        _check_same(spec, mine, repositories)
        _check_rights(spec)


def _check_same(spec: Spec, mine: Spec, repositories: Mapping[str, str]) -> None:
    if _image(spec, repositories) != _image(mine, repositories):
        fact = f"{spec.name} runs {spec.image}, on the default branch {mine.image}"
        raise _refused(spec, fact, "transform.image")
    fixed, wanted = _fixed(spec), _fixed(mine)
    if fixed != wanted:
        changes = difference(wanted, fixed) or sorted(
            key for key in fixed.keys() | wanted.keys() if fixed.get(key) != wanted.get(key)
        )
        fact = f"the spec is not that of the default branch: {'; '.join(changes)[:500]}"
        raise _refused(spec, fact, None)


def _check_rights(spec: Spec) -> None:
    body = json.loads(to_json(spec))
    for key, value in body.items():
        if _plain(key) in _RIGHTS and value:
            fact = f"{spec.name} has {key}, which may bring secrets to the fork's code"
            raise _refused(spec, fact, key)
    if (body.get("transform") or {}).get("secrets"):
        fact = f"{spec.name} mounts secrets, which the fork's code could read"
        raise _refused(spec, fact, "transform.secrets")


def _image(spec: Spec, repositories: Mapping[str, str]) -> str | None:
    """The name of the image of ours, else the reference."""
    for name, repository in repositories.items():
        if spec.image is not None and same_repository(spec.image, repository):
            return name
    return spec.image


def _fixed(spec: Spec) -> dict[str, Any]:
    """What must be as it is on the default branch."""
    body = {key: each for key, each in json.loads(to_json(spec)).items() if key not in _FREE}
    transform = body.get("transform")
    if isinstance(transform, dict):
        body["transform"] = {
            key: value for key, value in transform.items() if _plain(key) not in _FREE_IN_TRANSFORM
        }
    return body


def _plain(key: str) -> str:
    return key.replace("_", "").lower()


def _refused(spec: Spec, fact: str, field: str | None) -> StoppedError:
    where = f"{spec.place}: {field}" if field else spec.place
    return StoppedError(Code.FORK_NEEDS_RIGHTS, fact, where=where)

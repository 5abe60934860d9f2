"""What a pipeline should become, held against what it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.image import parse_reference
from bot.domain.plan import Change
from bot.domain.spec import difference, read_specs, same, to_json, with_image
from bot.services.pachyderm import LivePipeline
from bot.stages.asked import Cluster

# Not part of what a pipeline is: pachd overwrites them from the request.
_REQUEST_ONLY = frozenset({"update", "reprocess", "dry_run", "dryRun"})


@dataclass(frozen=True)
class Desired:
    """The spec to send, and whether sending it would change anything."""

    spec_json: str
    change: Change
    differences: tuple[str, ...] = ()


def wants_reprocessing(spec_json: str) -> bool:
    """Whether the spec itself asks for it, as pachctl reads it."""
    return json.loads(spec_json).get("reprocess") is True


async def desire(
    spec_json: str, image: str | None, live: LivePipeline | None, pachyderm: Cluster
) -> Desired:
    """The spec with its image, compared by what pachd makes of it.

    Args:
        spec_json: the user's spec.
        image: `repository:tag@sha256:...` where the pipeline runs an image of ours.
        live: the pipeline as it is; None where it does not exist.
        pachyderm: asked for the effective spec, a dry run.
    """
    wanted = spec_json if image is None else _with_image(spec_json, image)
    effective = _pipeline(await pachyderm.effective(wanted))
    if live is None:
        return Desired(wanted, Change.CREATE)
    current = _pipeline(json.loads(live.effective_spec))
    if same(effective, current):
        return Desired(wanted, Change.NONE)
    if image is not None and _is_same_image(image, live.image):
        # The same image under the tag of an older commit is no reason to restart jobs.
        kept = _with_image(spec_json, live.image)
        if same(_pipeline(await pachyderm.effective(kept)), current):
            return Desired(kept, Change.NONE)
    return Desired(wanted, Change.UPDATE, difference(current, effective))


def _with_image(spec_json: str, image: str) -> str:
    return to_json(with_image(read_specs("spec", spec_json)[0], image))


def _pipeline(effective: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in effective.items() if key not in _REQUEST_ONLY}


def _is_same_image(wanted: str, live: str) -> bool:
    if not live:
        return False
    new, old = parse_reference(wanted), parse_reference(live)
    return new.digest is not None and (new.repository, new.digest) == (old.repository, old.digest)

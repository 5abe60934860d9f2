"""A plan to try things on."""

import json

from bot.domain.plan import Change, ImagePlan, PipelinePlan, Plan

_SPEC = json.dumps(
    {
        "pipeline": {"project": {"name": "vision"}, "name": "edges"},
        "transform": {"image": "registry.acme.io/edges", "cmd": ["sh"]},
        "input": {
            "cross": [
                {"pfs": {"repo": "images", "glob": "/"}},
                {"pfs": {"project": "other", "repo": "masks", "glob": "/"}},
                {"cron": {"name": "tick", "spec": "@daily"}},
            ]
        },
    }
)


def edges_plan(spec: str = _SPEC) -> Plan:
    """One image, one pipeline."""
    image = ImagePlan(
        name="edges",
        repository="registry.acme.io/edges",
        tags=("1",),
        tree="t",
        dockerfile="Dockerfile",
        content="c",
    )
    pipeline = PipelinePlan(
        project="vision",
        name="edges",
        place="edges.json",
        spec=spec,
        image="edges",
        change=Change.UPDATE,
        version=3,
        differences=("env: s3cret",),
    )
    return Plan((image,), (pipeline,))

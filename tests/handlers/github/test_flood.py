"""Many deliveries, some repeated, some forged: each genuine one acts once, each forged one never."""

import asyncio
import json
from collections import Counter

import pytest

from bot.domain.deployment import Commit
from tests.handlers.github.world import EDGES, World
from tests.standins.github.webhooks import Delivery, sign

COUNT = 300
"""`make bench` sends 1,000."""
TOGETHER = 20
SHA = "{:040x}"
BRANCH = "refs/heads/b-"


def delivery(world: World, number: int) -> Delivery:
    """A push to a branch of its own, of one of ten repositories."""
    owner, name = "acme", f"edges-{number % 10}"
    payload = {
        "ref": BRANCH + str(number),
        "before": SHA.format(0),
        "after": SHA.format(number + 1),
        "repository": {
            "name": name,
            "full_name": f"{owner}/{name}",
            "owner": {"login": owner},
            "default_branch": "main",
            "clone_url": f"{world.github.url}/{owner}/{name}.git",
        },
        "sender": {"login": "ada", "type": "User"},
        "installation": {"id": world.github.installation(EDGES).id},
    }
    return Delivery(f"guid-{number}", "push", None, json.dumps(payload).encode(), None, None)


async def tip(_repository: str, ref: str) -> Commit:
    """As git would say it: each branch is still where it was pushed to."""
    return Commit(SHA.format(int(ref.removeprefix(BRANCH)) + 1), ref)


async def test_a_flood_of_deliveries(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.deployer, "resolve", tip)
    world.declare("  staging: {}\n")
    rules = "environments:\n  staging: {on: {push: ['b-*']}}\n"
    for number in range(10):
        world.github.repository(f"acme/edges-{number}", {".pachops.yml": rules})
    forged: list[Delivery] = []
    genuine: list[Delivery] = []
    for number in range(COUNT):
        (forged if number % 50 == 49 else genuine).append(delivery(world, number))
    sent = [
        (each, sign(world.github.app.webhook_secret, each.body))
        for index, each in enumerate(genuine)
        for _ in range(4 if index % 10 == 0 else 1)
    ]
    sent += [(each, sign("a guess", each.body)) for each in forged]
    slots = asyncio.Semaphore(TOGETHER)

    async def post(each: Delivery, signature: str) -> int:
        async with slots:
            return await world.github.webhooks.post(each, signature=signature)

    statuses = Counter(await asyncio.gather(*(post(*each) for each in sent)))
    assert statuses == {202: len(sent) - len(forged), 401: len(forged)}
    await world.settled()
    deployed = Counter(
        each.request.commit.sha for each in await world.deployments.list(limit=2 * COUNT)
    )
    assert deployed == {json.loads(each.body)["after"]: 1 for each in genuine}
    assert len(world.deployer.submitted) == len(genuine)

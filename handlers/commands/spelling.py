"""A repository that was typed in another way than GitHub writes it, as at a terminal, is one."""

import hashlib

from bot.domain.audit import BOT
from bot.domain.repository import repository_names
from bot.store.names import Named
from handlers.commands.errand import Errand


async def unite(errand: Errand) -> None:
    """What is kept of its repository under other spellings goes on under GitHub's own."""
    repository, rename = errand.repository, errand.desk.deployer.rename
    after = Named(errand.address, repository.full_name, repository.clone_url)
    for other in await errand.desk.deployer.other_spellings(errand.address):
        before = Named(other, repository_names(other)[0], other)
        digest = hashlib.sha256(other.encode()).hexdigest()[:12]
        await rename(before, after, BOT, once=f"spelled:{digest}:{errand.source.id}")

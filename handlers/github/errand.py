"""An errand that a webhook sends us on."""

from bot.domain.deployment import GITHUB
from bot.store.deliveries import Delivery
from handlers.commands import errand
from handlers.commands.errand import Person, Place, Source
from handlers.commands.spelling import unite
from handlers.github.desk import Client, Desk
from handlers.github.moving import Moving
from handlers.github.payloads import Event


class Errand(errand.Errand):
    """One delivery on its way; answers go to where it came from."""

    desk: Desk
    client: Client

    def __init__(self, desk: Desk, delivery: Delivery, event: Event) -> None:
        super().__init__(
            desk,
            Place(event.place, event.installation.id if event.installation else None),
            Person(event.sender.login, GITHUB, event.sender.is_bot),
            Source(
                delivery.id,
                delivery.received_at,
                is_repeat=delivery.attempts > 1 or delivery.is_last,
                is_last=delivery.is_last,
                has_awaited=delivery.has_awaited,
            ),
        )

    async def sent_at(self) -> float:
        """When GitHub told of it first, in seconds since the epoch, whether that reached us or not."""
        deliveries, source = self.desk.deliveries, self.source
        missed = None if deliveries is None else await deliveries.sent_at(source.id)
        return source.received_at if missed is None else missed

    async def forget_body(self) -> None:
        """It came to nothing, and the same may be asked for once more in the same words."""
        if self.desk.deliveries is not None:
            await self.desk.deliveries.forget_body(self.source.id)

    async def keep_answer(self, part: str, text: str) -> None:
        """What came of a part of the delivery, before it is told."""
        if self.desk.deliveries is not None:
            await self.desk.deliveries.keep_answer(self.source.id, part, text)

    async def kept_answer(self, part: str) -> str | None:
        """What an earlier attempt did not get told."""
        if self.desk.deliveries is None:
            return None
        return await self.desk.deliveries.kept_answer(self.source.id, part)


async def errand_for(desk: Desk, delivery: Delivery, event: Event) -> Errand:
    """The errand, of a repository that is kept under GitHub's name alone, where no other is.

    Errors: also BeginsAnewError.
    """
    errand, number = Errand(desk, delivery, event), event.repository.id
    if desk.deliveries is not None and number is not None:
        await Moving(desk, desk.deliveries, delivery.id, errand.place).check(number)
    await unite(errand)
    return errand

"""How often this process looks for garbage: its full collections stop every thread."""

import gc

_USUAL_PACE = gc.get_threshold()


def load_quickly() -> None:
    """Look for it rarely, which is for a short life.

    The SDKs make objects by the hundred thousand that stay: to look through them for garbage at
    the usual pace is a tenth of the start.
    """
    gc.set_threshold(100_000, 20, 100)


def load_sparingly() -> None:
    """Look for it as usual: what is garbage while the SDKs load would cost some MB for ever."""
    gc.set_threshold(*_USUAL_PACE)


def keep_what_is_loaded() -> None:
    """Never look again through what is here now.

    It is for a process that stands, before there is work to do. With the SDKs loaded a full
    collection takes 0.1 to 0.2 s on a slow processor (measured): whoever sends a webhook at that
    moment waits as long.
    """
    gc.collect()
    gc.freeze()

"""Registries, where Docker does not speak to them for us: the digest of a tag, one tag more."""

from bot.services.registry.service import Registry

__all__ = ["Registry"]

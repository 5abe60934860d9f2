from pathlib import Path

import pytest

from bot.settings import Settings, load_settings
from tests.bot.settings.loading import Load


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def load(home: Path) -> Load:
    """Loads settings with HOME set, no matter what this machine has."""

    def load(**variables: str) -> Settings:
        return load_settings({"HOME": str(home), **variables})

    return load

import os
from pathlib import Path

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.engine.claim import Claim


def test_a_second_claim_is_refused_with_the_process_that_holds_the_first(tmp_path: Path) -> None:
    claim = Claim(tmp_path / "pachops.db")
    with pytest.raises(StoppedError) as stopped:
        Claim(tmp_path / "pachops.db")
    claim.release()
    assert stopped.value.reason.code is Code.DATABASE_IN_USE
    assert f"process {os.getpid()} " in stopped.value.reason.fact


def test_a_claim_that_was_released_can_be_made_again(tmp_path: Path) -> None:
    Claim(tmp_path / "pachops.db").release()
    Claim(tmp_path / "pachops.db").release()


def test_the_file_of_a_process_that_is_gone_is_no_claim(tmp_path: Path) -> None:
    (tmp_path / "pachops.db.lock").write_text("999999999")
    Claim(tmp_path / "pachops.db").release()


def test_a_claim_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoppedError) as stopped:
        Claim(tmp_path / "nowhere" / "pachops.db")
    assert stopped.value.reason.code is Code.DATABASE_UNUSABLE

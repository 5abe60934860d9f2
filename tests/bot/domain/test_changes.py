import pytest

from bot.domain.changes import Change, by_share, change


@pytest.mark.parametrize(
    ("subject", "body", "title", "number"),
    [
        ("Sharper edges (#12)", "", "Sharper edges", 12),
        ("Merge pull request #12 from acme/sharper", "\nSharper edges\n", "Sharper edges", 12),
        ("Merge pull request #12 from acme/x", "", "Merge pull request #12 from acme/x", 12),
        ("Sharper edges", "see #12", "Sharper edges", None),
        ("(#12)", "", "(#12)", None),
        ("Fixes #3 (see #12)", "", "Fixes #3 (see #12)", None),
        ("", "", "", None),
    ],
)
def test_pull_request_is_found_in_what_github_writes(
    subject: str, body: str, title: str, number: int | None
) -> None:
    assert change("a", "ann", subject, body) == Change("a", "ann", title, number)


def test_who_made_most_is_named_first() -> None:
    assert by_share(["ann", "bob", "bob", "cy"]) == ("bob", "ann", "cy")

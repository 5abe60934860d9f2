from bot.domain.cleaning import cleaned


def test_every_text_is_masked_however_deep_it_is() -> None:
    found = cleaned(
        {"say": ["a secret", {"more": "secret"}]}, lambda text: text.replace("secret", "***")
    )
    assert found == {"say": ["a ***", {"more": "***"}]}


def test_what_is_no_text_stays_as_it_is() -> None:
    value = {"count": 1, "is_there": True, "at": None}
    assert cleaned(value, lambda _text: "***") == value

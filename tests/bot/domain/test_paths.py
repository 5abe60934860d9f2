import pytest

from bot.domain.paths import matches


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("pipeline.json", "pipeline.json"),
        ("pipelines/*.json", "pipelines/edges.json"),
        ("**/*.json", "edges.json"),
        ("**/*.json", "a/b/edges.json"),
        ("dags/**/spec.yaml", "dags/spec.yaml"),
        ("dags/**/spec.yaml", "dags/a/b/spec.yaml"),
        ("p?.json", "p1.json"),
        ("[ab].json", "a.json"),
        ("[!ab].json", "c.json"),
        ("[a-c]x[[].json", "bx[.json"),
        ("a+b(1).json", "a+b(1).json"),
        ("[z-a].json", "[z-a].json"),
    ],
)
def test_a_pattern_finds_its_path(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("pipeline.json", "a/pipeline.json"),
        ("pipelines/*.json", "pipelines/a/edges.json"),
        ("pipelines/*.json", "pipelines/edges.yaml"),
        ("*.json", "a/b.json"),
        ("p?.json", "p/.json"),
        ("a.json", "aXjson"),
        ("[!ab].json", "a.json"),
        ("a[!b]c", "a/c"),
        ("dags/**/spec.yaml", "dagsspec.yaml"),
    ],
)
def test_a_pattern_stays_in_its_folder(pattern: str, path: str) -> None:
    assert not matches(pattern, path)

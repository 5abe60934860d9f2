import pytest

from bot.services.docker import excluded

NAMES = (
    ".dockerignore",
    "Dockerfile",
    "README.md",
    "data/a.csv",
    "data/deep/b.csv",
    "data/keep.csv",
    "node_modules/x.js",
    "src/Main.py",
    "src/main.pyc",
    "src/node_modules/y/z.js",
    "src/temp/t1",
)
KEEP = frozenset({"Dockerfile"})


@pytest.mark.parametrize(
    ("lines", "dropped"),
    [
        ("", ()),
        ("# data\n\n   \n", ()),
        ("data", ("data/a.csv", "data/deep/b.csv", "data/keep.csv")),
        ("/data/", ("data/a.csv", "data/deep/b.csv", "data/keep.csv")),
        ("./src/../data", ("data/a.csv", "data/deep/b.csv", "data/keep.csv")),
        ("data/*", ("data/a.csv", "data/deep/b.csv", "data/keep.csv")),
        ("data/*.csv", ("data/a.csv", "data/keep.csv")),
        ("*.csv", ()),
        ("**/*.csv", ("data/a.csv", "data/deep/b.csv", "data/keep.csv")),
        ("data\n!data/keep.csv", ("data/a.csv", "data/deep/b.csv")),
        ("!data/keep.csv\ndata", ("data/a.csv", "data/deep/b.csv", "data/keep.csv")),
        ("../data", ()),
        ("*\n!**/*.py", (NAMES[0], *NAMES[2:7], *NAMES[8:])),
        ("data/*\n!data", ("data/a.csv", "data/deep/b.csv", "data/keep.csv")),
        ("data\n!data/deep", ("data/a.csv", "data/keep.csv")),
        ("node_modules", ("node_modules/x.js",)),
        ("**/node_modules", ("node_modules/x.js", "src/node_modules/y/z.js")),
        ("src/**/t?", ("src/temp/t1",)),
        ("src/main.py", ()),
        ("src/[A-Z]*", ("src/Main.py",)),
        ("src/[^A-Z]*", ("src/main.pyc", "src/node_modules/y/z.js", "src/temp/t1")),
        ("DATA", ()),
        ("\ufeffREADME.md", ("README.md",)),
        ("README.md\r\nsrc\r\n!src/Main.py", ("README.md", *NAMES[8:])),
    ],
)
def test_drops_what_docker_drops(lines: str, dropped: tuple[str, ...]) -> None:
    assert excluded(lines.encode(), NAMES, KEEP) == dropped


def test_the_dockerfile_is_kept() -> None:
    assert "Dockerfile" not in excluded(b"*\n**", NAMES, KEEP)


def test_everything_else_can_be_dropped() -> None:
    assert excluded(b"*", NAMES, KEEP) == (NAMES[0], *NAMES[2:])


def test_an_exception_without_a_name_is_ignored() -> None:
    assert excluded(b"README.md\n!", NAMES, KEEP) == ("README.md",)

"""What a line means, and what is said of one that means nothing."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.command import (
    FORMS,
    Approve,
    Cancel,
    Command,
    Deploy,
    Help,
    History,
    Lock,
    Plan,
    Reject,
    Resume,
    Rollback,
    Status,
    Subscribe,
    Unlock,
    Why,
    parse,
    render,
)
from bot.domain.command_form import Form, Mistake
from bot.domain.command_help import help_lines
from bot.domain.reasons import Code

SHA = "0123456789abcdef0123456789abcdef01234567"


def mistake(line: str) -> Mistake:
    found = parse(line)
    assert isinstance(found, Mistake), found
    return found


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("", Help()),
        ("   ", Help()),
        ("help", Help()),
        ("help deploy", Help("deploy")),
        ("-h", Help()),
        ("deploy staging --help", Help("deploy")),
        ("deploy", Deploy()),
        ("deploy staging", Deploy("staging")),
        ("Deploy Staging", Deploy("staging")),
        ("deploy staging main", Deploy("staging", "main")),
        ("deploy staging feature/Sharper", Deploy("staging", "feature/Sharper")),
        ("deploy staging v1.4.0", Deploy("staging", "v1.4.0")),
        (f"deploy staging {SHA.upper()}", Deploy("staging", SHA)),
        (
            "deploy staging --only edges --only=montage",
            Deploy("staging", only=("edges", "montage")),
        ),
        ("deploy --reprocess staging main", Deploy("staging", "main", reprocess=True)),
        ("deploy \"staging\"  'main'", Deploy("staging", "main")),
        ("deploy\tstaging\u00a0main", Deploy("staging", "main")),
        ("deploy --to staging --ref main", Deploy("staging", "main")),
        ("deploy main --to staging", Deploy("staging", "main")),
        ("plan", Plan()),
        ("plan staging", Plan("staging")),
        ("rollback production", Rollback("production")),
        ("rollback --to production --steps 2", Rollback("production", 2)),
        ("cancel", Cancel()),
        ("cancel 06H8K2M4", Cancel("06h8k2m4")),
        ("status", Status()),
        ("history", History()),
        ("lock production", Lock("production")),
        (
            "lock production --for 2h don't touch, we're moving",
            Lock("production", "don't touch, we're moving", lasts="2h"),
        ),
        ("lock --all the cluster moves", Lock(reason="the cluster moves", everywhere=True)),
        ("lock production --take-from @grace", Lock("production", take_from="grace")),
        ("lock production it moves --for 1d", Lock("production", "it moves", lasts="1d")),
        ("unlock --all", Unlock(everywhere=True)),
        ("unlock production --of grace", Unlock("production", owner="grace")),
        ("resume production", Resume("production")),
        ("unlock", Unlock()),
        ("approve", Approve()),
        ("reject 06h8", Reject("06h8")),
        ("approve 06h8 3F9A2C1D7B", Approve("06h8", "3f9a2c1d7b")),
        ("approve abc1234", Approve("abc1234")),
        ("approve --at abc1234", Approve(None, "abc1234")),
        ("why", Why()),
    ],
)
def test_a_line_is_read(line: str, command: Command) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("deploy abc1234", Deploy(None, "abc1234")),
        (f"deploy {SHA}", Deploy(None, SHA)),
        ("deploy feature/sharper", Deploy(None, "feature/sharper")),
        ("deploy abc123", Deploy("abc123")),
        ("deploy main", Deploy("main")),
        ("deploy abc1234 main", Deploy("abc1234", "main")),
        (f"deploy {SHA}0", Deploy(f"{SHA}0")),
    ],
)
def test_a_word_alone_is_the_environment_unless_it_cannot_be(line: str, command: Command) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(
    "line",
    [
        "deploy staging \N{EM DASH}only edges",
        "deploy staging \N{EN DASH}only \N{LEFT DOUBLE QUOTATION MARK}edges\N{RIGHT DOUBLE QUOTATION MARK}",
        "deploy \N{LEFT SINGLE QUOTATION MARK}staging\N{RIGHT SINGLE QUOTATION MARK} --only edges",
    ],
)
def test_what_telephones_make_of_dashes_and_quotes_is_read(line: str) -> None:
    assert parse(line) == Deploy("staging", only=("edges",))


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("deplyo staging", "deploy staging"),
        ("deply staging --only edges", "deploy staging --only edges"),
        ("DEPLOYS", "deploy"),
        ("rolback production", "rollback production"),
        ("revert production", "rollback production"),
        ("abort", "cancel"),
        ("lgtm", "approve"),
        ("help deply", "help deploy"),
        ("deplyo `x`", "deploy"),
    ],
)
def test_a_near_miss_gets_the_nearest_command(line: str, meant: str) -> None:
    assert mistake(line).reason("/pachops").next_step == f"Did you mean `/pachops {meant}`?"


def test_a_word_that_is_near_nothing_gets_all_commands() -> None:
    found = mistake("xyzzy").reason("/pachops")
    assert found.code is Code.BAD_COMMAND
    assert "there are: deploy, plan, rollback, cancel" in found.fact
    assert found.next_step == "`/pachops help` says how it is written."


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("deploy --onyl edges", "deploy has no option '--onyl'; it has --only"),
        ("deploy --zz", "deploy has no option '--zz'; it has --to, --ref, --only, --reprocess"),
        ("status --zz", "status has no option '--zz'; it has none"),
        ("deploy --only", "--only needs NAME after it"),
        ("deploy --only --reprocess", "--only needs NAME after it"),
        ("deploy --reprocess=yes", "--reprocess takes no value"),
        ("deploy --reprocess --reprocess", "--reprocess is given twice"),
        ("deploy --ref a --ref b", "--ref is given twice"),
        ("deploy" + " --only a" * 21, "--only is given more than 20 times"),
        ("deploy a b c", "'c' is one word too many"),
        ("deploy a b --ref c", "'b' is one word too many"),
        ("rollback", "rollback needs ENV: `rollback ENV [--steps N]`"),
        ("rollback a --steps 0", "'0' is not a number from 1 to 100"),
        ("rollback a --steps 101", "'101' is not a number from 1 to 100"),
        ("rollback a --steps \N{SUPERSCRIPT TWO}", "is not a number"),
        ("approve 06h8 main", "'main' is neither a commit's SHA nor a plan's digest"),
        ("lock a --for 2", "'2' is not a duration"),
        ("lock a --for 91d", "at most 90d"),
        ("lock --to a --all", "--all says all, and one is named"),
        ("unlock a b", "'b' is one word too many"),
        ("unlock --all b", "'b' is one word too many"),
        ("cancel a_b", "'a_b' cannot be a deployment's id"),
        ("deploy ''", "'' cannot be an environment's name"),
        ("deploy " + "a" * 64, "cannot be an environment's name"),
        ("deploy 'a b'", "'a b' cannot be an environment's name"),
        ("deploy staging main~2", "'main~2' cannot be a branch, tag or SHA"),
        ("deploy staging a..b", "'a..b' cannot be a branch, tag or SHA"),
        ("deploy staging --ref=--upload-pack=x", "cannot be a branch, tag or SHA"),
        ("deploy staging 'a b'", "cannot be a branch, tag or SHA"),
        ("deploy staging " + "a" * 256, "cannot be a branch, tag or SHA"),
        ("deploy --only=-x", "'-x' cannot be the name of an image or a pipeline"),
        ("deploy 'staging", "a quote is not closed"),
        ("deploy staging \\", "ends with a backslash"),
        ("deploy stag\u200bing", "the command has an invisible character (U+200B)"),
        ("deploy \u202estaging", "(U+202E)"),
        ("deploy " + "a" * 1000, "longer than 1000 characters"),
    ],
)
def test_a_mistake_is_named(line: str, fact: str) -> None:
    assert fact in mistake(line).fact


def test_a_mistake_in_a_command_leads_to_its_help() -> None:
    found = mistake("deploy a b c").reason("/pachops")
    assert found.next_step == "`/pachops help deploy` says how it is written."


def test_a_long_word_is_not_repeated_whole() -> None:
    assert len(mistake("deploy staging " + "a" * 300).fact) < 100


# --- any line, any command


WORDS = st.sampled_from(
    f"deploy staging main {SHA} abc1234 --only --ref --to --steps 2 ' rollback cancel help a/b "
    "--only= --reprocess \\ \N{EM DASH} \N{LEFT DOUBLE QUOTATION MARK} \u200b "
    "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE} why".split(" ")
)
LINES = st.one_of(st.text(), st.lists(WORDS | st.text(max_size=5), max_size=8).map(" ".join))


@settings(max_examples=500)
@given(LINES)
def test_any_line_is_a_command_or_a_mistake_and_a_command_is_written_as_it_is_read(
    line: str,
) -> None:
    found = parse(line)
    if isinstance(found, Mistake):
        assert found.reason("/pachops").fact
        return
    assert parse(render(found)) == found


ENVIRONMENTS = st.from_regex(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?", fullmatch=True)
REFS = st.from_regex(r"[A-Za-z0-9_]{1,20}(?:[/-][A-Za-z0-9_]{1,20}){0,3}", fullmatch=True)
IDS = st.none() | st.from_regex(r"[0-9a-z]{1,16}", fullmatch=True)
REASONS = st.just("") | st.from_regex(r"[a-z'][a-z' -]{0,30}[a-z]", fullmatch=True).map(
    lambda text: " ".join(text.split())
)
LASTS = st.none() | st.sampled_from(["30m", "2h", "1h30m", "90d"])
OWNERS = st.none() | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", fullmatch=True)
SEEN = st.from_regex(r"[0-9a-f]{7,64}", fullmatch=True)
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(
        Deploy,
        st.none() | ENVIRONMENTS,
        st.none() | REFS.map(lambda ref: ref.lower() if re.fullmatch("[0-9A-Fa-f]+", ref) else ref),
        st.lists(REFS, max_size=3).map(tuple),
        st.booleans(),
    ),
    st.builds(Rollback, ENVIRONMENTS, st.integers(1, 100)),
    *(st.builds(each, st.none() | ENVIRONMENTS) for each in (Plan, Resume)),
    st.builds(Lock, st.none() | ENVIRONMENTS, REASONS, st.just(value=False), LASTS, OWNERS),
    st.builds(Lock, st.none(), REASONS, st.just(value=True), LASTS, OWNERS),
    st.builds(Unlock, st.none() | ENVIRONMENTS, st.just(value=False), OWNERS),
    st.builds(Unlock, st.none(), st.just(value=True), OWNERS),
    *(st.builds(each, IDS) for each in (Cancel, Why)),
    *(st.builds(each, IDS, st.none() | SEEN) for each in (Approve, Reject)),
    *(st.just(each()) for each in (Status, History)),
    st.builds(Help, st.none() | st.sampled_from([form.name for form in FORMS])),
)


@settings(max_examples=500)
@given(COMMANDS)
def test_every_command_is_read_as_it_is_written(command: Command) -> None:
    assert parse(render(command)) == command


# --- help


def test_help_lists_every_command_with_its_usage() -> None:
    lines = help_lines(None, "/pachops")
    for form in FORMS:
        assert f"/pachops {form.usage}" in lines


def test_help_of_a_command_says_all_of_it() -> None:
    assert help_lines("rollback", "/pachops") == (
        "/pachops rollback ENV [--steps N]",
        "",
        "Put back the specs and images of an earlier good deployment.",
        "For the environment's deployers; those with write permission where it names none.",
        "",
        "--steps N",
        "    How many good deployments to undo; 1 where it is not said.",
        "--to ENV",
        "    The same as ENV in its place.",
        "",
        "/pachops rollback production",
        "/pachops rollback production --steps 2",
    )


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_the_examples_of_a_command_are_that_command(form: Form) -> None:
    assert form.examples
    for text in form.examples:
        command = parse(text)
        assert not isinstance(command, Mistake)
        assert command.form is form


def test_no_word_leads_to_two_commands() -> None:
    words = [word for form in FORMS for word in (form.name, *form.near)]
    assert len(words) == len(set(words))


def test_a_channel_subscribes_to_a_repository_alone_or_to_some_of_it() -> None:
    assert parse("subscribe acme/edges") == Subscribe("acme/edges")
    found = parse("subscribe https://github.com/acme/edges.git production releases")
    assert found == Subscribe("acme/edges", ("production", "releases"))
    assert (found.environments, found.events) == (("production",), ("releases",))
    assert parse(render(found)) == found


# --- force


def test_force_takes_all_that_is_behind_it_as_its_reason() -> None:
    command = parse("deploy production v1.4.0 --force the cluster is on fire")
    assert command == Deploy("production", "v1.4.0", force="the cluster is on fire")
    assert parse(render(command)) == command


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("deploy production --force", "--force needs REASON after it"),
        ("deploy production --force --reprocess", "--force needs REASON after it"),
        ("deploy production --force fire --reprocess", "--force comes last"),
        ("deploy production --force ' '", "the reason is missing"),
        ("deploy production --force -x", "the reason is missing"),
        (f"deploy production --force {'x' * 301}", "a reason has at most 300 characters"),
    ],
)
def test_force_needs_a_reason(line: str, fact: str) -> None:
    assert fact in mistake(line).fact


def test_a_backtick_that_was_typed_leaves_our_own_code_whole() -> None:
    fact = mistake("deploy staging v1 b`c").fact
    assert fact.startswith("'b'c' is one word too many: `deploy [ENV]")
    assert fact.count("`") == 2


@pytest.mark.parametrize(
    ("ref", "meant"),
    [
        (None, None),
        ("HEAD", None),
        ("@", None),
        ("pull/7/head", None),
        ("refs/pull/7/head", None),
        ("pull/8/head", "pull/8/head"),
        ("feature/head", "feature/head"),
        ("heads/feature", "feature"),
        ("refs/heads/feature", "feature"),
        ("refs/tags/v1", "refs/tags/v1"),
        ("abc1234", "abc1234"),
    ],
)
def test_on_a_pull_request_its_head_and_a_branch_have_one_name(
    ref: str | None, meant: str | None
) -> None:
    assert Deploy("staging", ref).meant_on(7) == Deploy("staging", meant)

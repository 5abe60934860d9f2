"""What GraphQL answers beyond the first look, as far as we need it."""

from bot.services.github.graphql_answers import Answer, Oid, Page, Person


class Comparison(Answer):
    """A commit, seen from a branch."""

    status: str
    behind_by: int

    @property
    def is_contained(self) -> bool:
        """Whether the branch has it."""
        return self.status in {"BEHIND", "IDENTICAL"}


class ComparedBranch(Answer):
    """A branch from which a commit is seen."""

    prefix: str
    name: str
    compare: Comparison | None
    """None where the two have nothing in common."""

    @property
    def branch(self) -> str:
        """Its whole name, of which GitHub cuts off what was asked for."""
        return f"{self.prefix}{self.name}".removeprefix("refs/heads/")

    @property
    def has_it(self) -> bool:
        """Whether the commit is a part of the branch."""
        return self.compare is not None and self.compare.is_contained


class ComparedBranches(Answer):
    """The first ones of those with a text in their names."""

    page_info: Page
    nodes: tuple[ComparedBranch, ...]


class Members(Answer):
    """The first ones of those whose names are like the one asked for."""

    page_info: Page
    nodes: tuple[Person, ...]


class Team(Answer):
    """A team."""

    members: Members

    def has(self, login: str) -> bool | None:
        """Whether the person is in it, or in a team below it; None where they may be further on."""
        if any(each.login.casefold() == login.casefold() for each in self.members.nodes):
            return True
        return None if self.members.page_info.has_next_page else False


class OwnCommit(Answer):
    """A commit in a pull request's list."""

    commit: Oid


class OwnCommits(Answer):
    """A pull request's newest commits."""

    total_count: int
    nodes: tuple[OwnCommit, ...]

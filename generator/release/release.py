"""Makes a release, `just release X.Y.Z`: checks, dates the changelog, sets the version, commits, tags. Never pushes."""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from compatibility import breaks, mistakes

from new_service import git
from new_service.errors import NewServiceError
from new_service.source import Repository, version_of
from new_service.template import open_template

ROOT: Final = Path(__file__).resolve().parents[2]
CHANGELOG: Final = "CHANGELOG.md"
PROJECT: Final = "pyproject.toml"
_VERSION: Final = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}")


class Refused(NewServiceError):
    """Why there is no release; nothing was changed."""


@dataclass(frozen=True)
class Plan:
    """The release to make, of the repository in a folder."""

    root: Path
    version: str

    @property
    def tag(self) -> str:
        """What the release is called in git."""
        return f"v{self.version}"

    @property
    def last(self) -> str | None:
        """The tag of the release before it."""
        return next(iter(Repository(self.root, str(self.root), is_checkout=True).releases()), None)


def main(arguments: list[str]) -> int:
    """Release, or say why not; return the exit code."""
    if len(arguments) != 1 or not _VERSION.fullmatch(arguments[0]):
        return _say([Refused("a release is named X.Y.Z", "run: just release 1.2.3")], code=2)
    plan = Plan(ROOT, arguments[0])
    try:
        refused = [*not_ready(plan), *not_compatible(plan)]
        if refused:
            return _say(refused)
        release(plan)
    except NewServiceError as error:
        return _say(error.problems)
    print(f"{plan.tag} is committed and tagged here; next:\n")
    print(f"    uv build\n    git push --atomic origin main {plan.tag}")
    return 0


def not_ready(plan: Plan) -> Iterator[NewServiceError]:
    """Yield what speaks against a release here and now."""
    if git.run("status", "--porcelain", folder=plan.root):
        yield Refused("there are changes that are not committed", "commit or stash them")
    branch = git.run("rev-parse", "--abbrev-ref", "HEAD", folder=plan.root)
    if branch != "main":
        yield Refused(f"releases are made on main, this is {branch}", "run: git switch main")
    last = version_of(plan.last) if plan.last else None
    version = version_of(plan.version)
    if last is not None and version is not None and version <= last:
        yield Refused(f"{plan.version} is not newer than {plan.last}, the last release", "name a newer one")
    if not git.succeeds("var", "GIT_COMMITTER_IDENT", folder=plan.root):
        yield Refused("git does not know who commits", "run: git config user.name …; git config user.email …")
    try:
        dated((plan.root / CHANGELOG).read_text(encoding="utf-8"), plan.version, "today")
    except Refused as refused:
        yield refused


def not_compatible(plan: Plan) -> Iterator[NewServiceError]:
    """Yield what the template at HEAD would do to projects of the last release."""
    with open_template(str(plan.root)) as new:
        yield from mistakes(new)
        if plan.last is not None:
            with open_template(str(plan.root), plan.last) as old:
                yield from breaks(old, new)


def release(plan: Plan) -> None:
    """Write, commit and tag; whatever fails leaves the repository as it was. Raises Refused."""
    start = git.run("rev-parse", "HEAD", folder=plan.root)
    try:
        _write(plan)
        message = f"Release {plan.tag}"
        git.run("commit", "--quiet", "--allow-empty", "--message", message, "--", CHANGELOG, PROJECT, folder=plan.root)
        git.run("tag", "--annotate", plan.tag, "--message", f"new-service {plan.version}", folder=plan.root)
    except BaseException as error:
        git.run("reset", "--quiet", "--hard", start, folder=plan.root)  # everything was committed before
        if isinstance(error, git.GitFailed):
            raise Refused(f"git refused: {error.message}", "mend that, and run the command again") from error
        raise


def dated(text: str, version: str, date: str) -> str:
    """Return the changelog with an entry of this version: the one prepared, or what is unreleased. Raises Refused."""
    unreleased, prepared = _section(text, "Unreleased"), _section(text, version)
    if unreleased is None:
        raise Refused(f"{CHANGELOG} has no section [Unreleased]", "put `## [Unreleased]` above the last release")
    if prepared is None:
        if not _says_something(unreleased[1]):
            raise Refused(f"{CHANGELOG} says nothing under [Unreleased]", "write there what changes for its users")
        heading = unreleased[0]
        return text.replace(heading, f"{heading}\n\n## [{version}] - {date}", 1)
    if _says_something(unreleased[1]):
        raise Refused(
            f"{CHANGELOG} has text under [Unreleased] and under [{version}]", f"move all of it to [{version}]"
        )
    if not _says_something(prepared[1]):
        raise Refused(f"{CHANGELOG} says nothing under [{version}]", "write there what changes for its users")
    return text.replace(prepared[0], f"## [{version}] - {date}", 1)


def _section(text: str, name: str) -> tuple[str, str] | None:
    """Return the heading and the body of a section."""
    found = re.search(rf"^(## \[{re.escape(name)}\][^\n]*)$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return (found[1], found[2]) if found else None


def _says_something(body: str) -> bool:
    return any(line.strip() and not re.match(r"#|\[[^\]]+\]: ", line) for line in body.splitlines())


def _write(plan: Plan) -> None:
    changelog, project = plan.root / CHANGELOG, plan.root / PROJECT
    today = datetime.now(UTC).date().isoformat()
    changelog.write_text(dated(changelog.read_text(encoding="utf-8"), plan.version, today), encoding="utf-8")
    text, count = re.subn(
        r'(?m)^version = "[^"]*"$', f'version = "{plan.version}"', project.read_text(encoding="utf-8"), count=1
    )
    if not count:
        raise Refused(f"{PROJECT} has no line with the version", 'write `version = "0.0.0"` in [project]')
    project.write_text(text, encoding="utf-8")


def _say(problems: Sequence[NewServiceError], code: int = 1) -> int:
    for problem in problems:
        print(f"error: {problem.message}\n       {problem.hint}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Whatever a team and its template do, in whatever order: no line that the team wrote is ever lost."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from new_service.console import Console
from new_service.template import open_template, render
from new_service.update import Request, update

from .conftest import git, tree

COPIER_YML = """\
_subdirectory: template
_skip_if_exists: [/settings.py, /notes]
service_name: {type: str, default: billing}
package_name: {type: str, default: billing}
service_type: {type: str, default: api}
features: {type: str, multiselect: true, choices: [], default: []}
"""
FILES = ("settings.py", "notes/a.py", "chassis/a.py", "chassis/deep/c.py", "docs/page.md")
PLACES = (*FILES, "chassis/d.py", "notes/b.py")
# Few names and mostly edits, so that both sides often meet: without what it knows of ownership, a dozen stories do not
# pass.
MEETING = ("settings.py", "settings.py", "chassis/a.py", "chassis/a.py", *PLACES[1:])
TEAMS = ("settings.py", "notes/")
LINES = 12
ANSWERS = ".copier-answers.yml"
ANYTHING: Final = (0, b"anything")

Tree = dict[str, tuple[int, bytes]]
Story = list[tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]]


@dataclass
class Side:
    """One of the two who change files, and what it wrote, line by line: each line once in its life."""

    folder: Path
    who: str
    written: list[str] = field(default_factory=list)

    def line(self) -> str:
        self.written.append(f"{self.who} {len(self.written)}")
        return self.written[-1]

    def act(self, action: str, name: str, where: int) -> None:
        path = self.folder / name
        if action == "add" and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{self.line()}\n" for _ in range(3)))
        elif action != "add" and path.exists():
            getattr(self, action)(path, where)

    def insert(self, path: Path, where: int) -> None:
        lines = path.read_text().splitlines(keepends=True)
        lines.insert(where % (len(lines) + 1), f"{self.line()}\n")
        path.write_text("".join(lines))

    def replace(self, path: Path, where: int) -> None:
        lines = path.read_text().splitlines(keepends=True)
        if lines:
            lines[where % len(lines)] = f"{self.line()}\n"
            path.write_text("".join(lines))

    def delete(self, path: Path, _: int) -> None:
        path.unlink()

    def move(self, path: Path, where: int) -> None:
        target = self.folder / PLACES[where % len(PLACES)]
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)


actions = st.lists(
    st.tuples(
        st.sampled_from(["insert", "insert", "insert", "replace", "add", "delete", "move"]),
        st.sampled_from(MEETING),
        st.integers(0, 20),
    ),
    min_size=2,
    max_size=8,
)
stories = st.lists(st.tuples(actions, actions), min_size=1, max_size=3)  # what the team does, and the template


def made_template(folder: Path) -> Path:
    (folder / "template").mkdir(parents=True)
    (folder / "copier.yml").write_text(COPIER_YML)
    answers = folder / "template/{{ _copier_conf.answers_file }}.jinja"
    answers.write_text("{{ _copier_answers | to_nice_yaml }}")
    for name in FILES:
        path = folder / "template" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"line {number} of {name}\n" for number in range(LINES)))
    git("init", "--quiet", folder=folder)
    commit(folder, tag="v1")
    return folder


def made(template: Path, folder: Path | None = None) -> Tree:
    """Return what the template makes of its defaults, in a folder that may stay."""
    with tempfile.TemporaryDirectory() as temporary, open_template(str(template)) as opened:
        folder = folder or Path(temporary, "project")
        render(opened, {}, folder)
        return tree(folder)


def made_project(template: Path, folder: Path) -> Path:
    made(template, folder)
    git("init", "--quiet", folder=folder)
    commit(folder)
    return folder


def commit(folder: Path, tag: str = "") -> None:
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--allow-empty", "--message", "change", folder=folder)
    if tag:
        git("tag", tag, folder=folder)


def lines_of(folder: Path) -> set[str]:
    return {line for _, content in tree(folder).values() for line in content.decode().splitlines()}


def unmerged_lines(folder: Path) -> Iterator[str]:
    for entry in git("ls-files", "--unmerged", folder=folder).splitlines():
        _, oid, stage = entry.split("\t")[0].split()
        if stage == "2":
            yield from git("cat-file", "blob", oid, folder=folder).splitlines()


def expected(name: str, rendered: Tree, before: Tree, fresh: Tree) -> tuple[int, bytes] | None:
    """Return what a file must be after an update that had no conflict in it; ANYTHING where both sides changed it."""
    old, mine, new = rendered.get(name), before.get(name), fresh.get(name)
    moved = any(other not in before and other not in fresh for other in rendered)
    if old is None and mine is None and (moved or name.startswith("notes/")):
        return ANYTHING  # nothing, if the team deleted it under its old name, or the whole example
    if mine == old:
        return new
    if old is not None and mine is None:
        return None if new == old or new is None else ANYTHING  # another file may have taken the deleted one's name
    return mine if name.startswith(TEAMS) or new == old else ANYTHING


def play(story: Story, temporary: Path) -> None:
    template = made_template(temporary / "template")
    project = made_project(template, temporary / "project")
    team, theirs = Side(project, "team"), Side(template / "template", "theirs")
    rendered = tree(project)
    for number, (edits, changes) in enumerate(story):
        for side, actions in ((team, edits), (theirs, changes)):
            for action in actions:
                side.act(*action)
        commit(project)
        commit(template, tag=f"v{number + 2}")
        before, wanted = tree(project), {line for line in lines_of(project) if line.startswith("team ")}
        code = update(Request(project, with_lock=False), Console())
        rendered = look(project, template, (rendered, before), wanted, code)
        commit(project)
        assert update(Request(project, with_lock=False), Console()) == 0
        assert git("status", "--porcelain", folder=project) == ""


def look(project: Path, template: Path, was: tuple[Tree, Tree], wanted: set[str], code: int) -> Tree:
    """Check the result of one update, and return what the template alone would have made."""
    rendered, before = was
    after, fresh = tree(project), made(template)
    unmerged = {line.split("\t")[1] for line in git("ls-files", "--unmerged", folder=project).splitlines()}
    assert code == (1 if unmerged else 0)
    assert not [name for name in unmerged if name in rendered and name not in before]  # deleted stays deleted
    assert wanted <= lines_of(project) | set(unmerged_lines(project))
    for name in {*rendered, *before, *fresh, *after} - unmerged - {ANSWERS}:
        want = expected(name, rendered, before, fresh)
        has_edits = b"team " in after.get(name, (0, b""))[1]
        # What the team wrote into a file follows it when the template renames the file.
        assert want in {ANYTHING, after.get(name)} or (has_edits and not name.startswith(TEAMS)), name
    assert after[ANSWERS] == fresh[ANSWERS]
    return fresh


def run(story: Story) -> None:
    with tempfile.TemporaryDirectory(prefix="story-") as temporary:
        play(story, Path(temporary))


relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@settings(relaxed, max_examples=12, derandomize=True)
@given(stories)
def test_no_line_of_the_teams_is_lost(story: Story) -> None:
    run(story)


@pytest.mark.slow  # minutes: the same with many more stories
@settings(relaxed, max_examples=250)
@given(stories)
def test_no_line_of_the_teams_is_lost_in_many_stories(story: Story) -> None:
    run(story)

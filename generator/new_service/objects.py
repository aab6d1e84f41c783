"""Trees of files in a repository's object store: written, read, compared and merged, never checked out."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from . import git

_NOBODY: Final = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "new-service"), ("EMAIL", "new-service@localhost"), ("DATE", "@0 +0000"))
}
_AS_RENDERED: Final = (
    "-c", "core.fileMode=true", "-c", "core.autocrlf=false", "-c", "core.safecrlf=false",
    "-c", "core.sparseCheckout=false",
)  # fmt: skip
# Renames are looked for however many files there are; a team's own file never moves with the template's folder.
_MERGING: Final = ("-c", "merge.renames=true", "-c", "merge.renameLimit=0", "-c", "merge.directoryRenames=false")


class Entry(NamedTuple):
    """A file in a tree: how git writes its mode, and the name of its content."""

    mode: str
    oid: str


Entries = dict[str, Entry]


class Change(NamedTuple):
    """What happened to one file between two trees; `old_path` is where a renamed one was."""

    kind: str  # added, changed, renamed or removed
    path: str
    old_path: str = ""


@dataclass(frozen=True)
class Merged:
    """The result of a merge. Each unmerged path has its entries by stage: 1 the base, 2 ours, 3 theirs.

    `sides` are the commits that its markers call ours and theirs.
    """

    tree: str
    sides: tuple[str, str]
    unmerged: Mapping[str, Mapping[int, Entry]] = field(default_factory=dict)


@dataclass(frozen=True)
class Objects:
    """The objects of one repository; a scratch one keeps what it writes to itself.

    `top` is its work tree, because what .gitattributes says there also holds for a merge.
    """

    git_dir: Path
    top: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    def run(
        self, *arguments: str, given: str | None = None, extra: Mapping[str, str] | None = None, accepted: int = 0
    ) -> str:
        """Run git on these objects. `accepted` is a second exit code that is no failure. Raises GitFailed."""
        running = git.start(
            *git.NO_HOOKS,
            f"--git-dir={self.git_dir}",
            *arguments,
            folder=self.top,
            extra={**self.extra, **(extra or {})},
            reads=given is not None,
        )
        return running.result(given, accepted=accepted)

    def store(self, folder: Path) -> Entries:
        """Write every file below a folder, and return them by their paths."""
        with tempfile.TemporaryDirectory(prefix="new-service-index-") as index:
            extra = {"GIT_INDEX_FILE": str(Path(index, "index"))}
            here = (f"--work-tree={folder}", "-C", str(folder), *_AS_RENDERED)
            self.run(*here, "add", "--all", "--force", ".", extra=extra)
            return _entries(self.run("ls-files", "--stage", "-z", extra=extra), stage=True)

    def entries(self, tree: str) -> Entries:
        """Return the files of a tree."""
        return _entries(self.run("ls-tree", "-r", "-z", "--full-tree", tree), stage=False)

    def tree(self, entries: Entries, below: str = "", base: str | None = None) -> str:
        """Write a tree of these files, in place of what is below a folder of another tree if one is given."""
        with tempfile.TemporaryDirectory(prefix="new-service-index-") as index:
            extra = {"GIT_INDEX_FILE": str(Path(index, "index"))}
            others: Entries = {} if base is None else self.entries(base)
            whole = {path: entry for path, entry in others.items() if not path.startswith(below)}
            whole |= {below + path: entry for path, entry in entries.items()}
            lines = "".join(f"{entry.mode} {entry.oid}\t{path}\0" for path, entry in whole.items())
            self.run("update-index", "-z", "--index-info", given=lines, extra=extra)
            return self.run("write-tree", extra=extra)

    def commit(self, tree: str, *parents: str) -> str:
        """Write a commit that nobody will see."""
        flags = [flag for parent in parents for flag in ("-p", parent)]
        return self.run("commit-tree", "--no-gpg-sign", tree, *flags, "-m", "new-service", extra=_NOBODY)

    def merge(self, base: str, ours: str, theirs: str) -> Merged:
        """Merge two trees that come from a third one. Merge drivers and attributes are those of the repository."""
        root = self.commit(base)
        left, right = self.commit(ours, root), self.commit(theirs, root)
        options = ("--write-tree", "--no-messages", "-z")
        merged = self.run(*_MERGING, "merge-tree", *options, left, right, accepted=1)  # 1: there are conflicts
        tree, *lines = merged.split("\0")
        unmerged: dict[str, dict[int, Entry]] = {}
        for line in filter(None, lines):
            head, _, path = line.partition("\t")
            mode, oid, stage = head.split()
            unmerged.setdefault(path, {})[int(stage)] = Entry(mode, oid)
        return Merged(tree, (left, right), unmerged)

    def changes(self, old: str, new: str, *, renames: bool = True) -> list[Change]:
        """Compare two trees, file by file."""
        how = ("--find-renames", "--no-rename-empty") if renames else ("--no-renames",)
        fields = iter(self.run("diff-tree", "-r", "-z", *how, "-l0", "--name-status", old, new).split("\0"))
        return list(_changes(fields))

    def diff(self, old: str, new: str) -> str:
        """Return the difference of two trees as a patch, empty without one."""
        return self.run("diff-tree", "-p", "-r", "--find-renames", "-l0", "--no-ext-diff", "--no-color", old, new)


@contextmanager
def scratch(git_dir: Path, top: Path) -> Iterator[Objects]:
    """Yield the objects of a repository, with a place of their own for new ones: the repository gets nothing."""
    shared = git.run(f"--git-dir={git_dir}", "rev-parse", "--path-format=absolute", "--git-path", "objects")
    with tempfile.TemporaryDirectory(prefix="new-service-objects-") as folder:
        yield Objects(git_dir, top, {"GIT_OBJECT_DIRECTORY": folder, "GIT_ALTERNATE_OBJECT_DIRECTORIES": shared})


def _entries(listed: str, *, stage: bool) -> Entries:
    entries: Entries = {}
    for line in filter(None, listed.split("\0")):
        head, _, path = line.partition("\t")
        fields = head.split()
        entries[path] = Entry(fields[0], fields[1] if stage else fields[2])
    return entries


def _changes(fields: Iterator[str]) -> Iterator[Change]:
    kinds = {"A": "added", "D": "removed", "R": "renamed"}
    for status in fields:
        if not status:
            return
        kind = kinds.get(status[0], "changed")
        old = next(fields) if kind == "renamed" else ""
        yield Change(kind, next(fields), old)

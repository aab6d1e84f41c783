"""The repository that a project lives in, its own or a larger one, as an update finds it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import git
from .errors import NotAProject, ToolMissing, TreeDirty

_OLDEST_GIT: Final = (2, 38)  # the first whose merge-tree can merge without a work tree
_MOST_SHOWN: Final = 5


@dataclass(frozen=True)
class WorkTree:
    """One commit of a project. `prefix` is its folder in the repository: empty, or with a slash at its end."""

    top: Path
    git_dir: Path
    prefix: str
    head: str
    tree: str  # of the project's folder in that commit

    def changed(self) -> list[str]:
        """Return the files in the project's folder that are not committed as they are."""
        # The user's settings must not hide files that are not tracked.
        options = ("--porcelain", "-z", "--untracked-files=normal", "--no-renames")
        status = git.run(*git.NO_HOOKS, "status", *options, "--", self.prefix or ".", folder=self.top)
        return [line[3:] for line in status.split("\0") if line]

    def refuse_dirty(self) -> None:
        """Raise TreeDirty unless everything in the project's folder is committed."""
        changed = self.changed()
        if changed:
            rest = len(changed) - _MOST_SHOWN
            more = f" and {rest} more" if rest > 0 else ""
            raise TreeDirty(
                f"the project has changes that are not committed: {', '.join(changed[:_MOST_SHOWN])}{more}",
                "commit or stash them, and run the command again",
            )


def open_work_tree(folder: Path) -> WorkTree:
    """Find the repository of a project. Raises NotAProject without one or without a commit, ToolMissing for old git."""
    _refuse_old_git()
    try:
        answer = git.run("rev-parse", "--show-toplevel", "--absolute-git-dir", "--show-prefix", folder=folder)
    except git.GitFailed as error:
        raise NotAProject(
            f"{folder} is not under version control: {error.message}", "run in it: git init, git add --all, git commit"
        ) from error
    top, git_dir, prefix = (answer + "\n").split("\n")[:3]
    try:
        head, tree = git.run("rev-parse", "HEAD", f"HEAD:{prefix}", folder=folder).split()
    except git.GitFailed as error:
        raise NotAProject(f"{folder} has not been committed yet", "commit it, and run the command again") from error
    return WorkTree(Path(top), Path(git_dir), prefix, head, tree)


def _refuse_old_git() -> None:
    said = git.run("version")
    found = re.search(r"(\d+)\.(\d+)", said)
    if found and (int(found[1]), int(found[2])) < _OLDEST_GIT:
        raise ToolMissing(f"git {found[0]} is too old to merge an update", "install git 2.38 or newer")

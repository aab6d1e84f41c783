"""A project of the sample template, and what happens to both sides of it."""

from pathlib import Path

from .conftest import commit_all, git

PACKAGE = "src/{{ package_name }}"


def next_release(template: Path, tag: str = "v1.1.0") -> None:
    """Change, add, rename and drop a file of the template."""
    files = template / "template"
    (files / "docs/new.md").write_text("new\n")
    (files / PACKAGE / "chassis/rate_limit.py").write_text("# changed\n")
    (files / PACKAGE / "chassis/lifecycle.py").rename(files / PACKAGE / "chassis/life.py")
    (files / "stop.sh").unlink()
    commit_all(template, tag=tag)


def kinds(document: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {change["path"]: change["kind"] for change in document["changes"]}


def unmerged(project: Path) -> list[str]:
    return sorted({line.split("\t")[1] for line in git("ls-files", "--unmerged", folder=project).splitlines()})


def edit(project: Path, name: str, text: str) -> None:
    path = project / name
    path.write_text(path.read_text() + text)
    commit_all(project)


def conflicting(template: Path, project: Path) -> None:
    edit(project, "pyproject.toml", "ours = 1\n")
    edit(project, "stop.sh", "echo ours\n")
    (project / "docs/new.md").write_text("ours\n")
    (project / "docs/use.md").write_bytes(b"\x00ours")
    commit_all(project)
    path = template / "template/pyproject.toml.jinja"
    path.write_text(path.read_text() + "theirs = 1\n")
    (template / "template/docs/use.md").write_bytes(b"\x00theirs")
    next_release(template)

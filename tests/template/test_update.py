"""Layer 4: plain `copier update` from an older release loses nothing that a team wrote, deleted or added."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pathspec import PathSpec

from .conftest import git, release, uv

TEAM_FILES = {
    "README.md": "# Ours\n",
    "CODEOWNERS": "* @ours/team\n",
    "apt-packages.txt": "libpq5\n",
    "config/base.yaml": "log_level: warning\n",
    "config/production.yaml": "http_port: 8080\n",
    "docs/team-notes.md": "Call Ada.\n",
    "src/billing/settings.py": '"""Ours."""\n',
    "src/billing/resources.py": '"""Ours."""\n',
    "src/billing/api.py": '"""Ours."""\n',
    "tests/conftest.py": '"""Ours."""\n',
}
FOLDERS = (
    "", ".github/", ".github/workflows/", "config/", "docs/", "src/", "src/billing/", "src/billing/chassis/",
    "src/billing/orders/", "tests/", "tests/chassis/", "tests/orders/",
)  # fmt: skip
OWN_FILES = {folder + name: "ours\n" for folder in FOLDERS for name in ("own.txt", ".own")}
DELETED = ["docs/runbook.md", "src/billing/notes", "tests/notes"]
OWN_DEPENDENCY = '  "httpx2>=2.16,<3",\n]\n\n[dependency-groups]'
SEAMS = ["settings.py", "resources.py", "api.py"]


def copier(*arguments: str, folder: Path) -> None:
    command = [sys.executable, "-m", "copier", *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new))


def next_release(repository: Path) -> None:
    """Change the template as a release would: files of both sides, the neighbouring dependency, a new file."""
    template = repository / "template"
    package = template / "src/{{ package_name }}"
    replace(template / "pyproject.toml.jinja", '"uvloop>=0.23,<1"', '"uvloop>=0.24,<1"')
    replace(template / "Dockerfile.jinja", "\nEXPOSE ", "\n# Traffic, probes\nEXPOSE ")
    replace(template / "docs/runbook.md.jinja", "## At a glance", "## First look")
    replace(template / ".env.example.jinja", "# Port of the API", "# Port of the API, by convention 8000")
    replace(package / "chassis/serve_api.py", "Port of the API", "Port of the API, by convention 8000")
    (package / "chassis/brand_new.py").write_text('"""New with this release."""\n')
    (template / "docs/brand-new.md").write_text("# New\n")
    for seam in [*(package / seam for seam in SEAMS), package / "notes/service.py", template / "config/base.yaml"]:
        seam.write_text(seam.read_text() + "# changed by the template\n")
    release(repository, "v0.2.0")


@pytest.fixture
def project(template_repository: Path, tmp_path: Path) -> Path:
    """Return a project made by stock copier from the older release, and then edited everywhere."""
    repository = shutil.copytree(template_repository, tmp_path / "template")
    folder = tmp_path / "billing"
    answers = ["--defaults", "--quiet", "--data", "service_name=billing", "--data", "owner=@ours/team"]
    copier("copy", *answers, str(repository), str(folder), folder=tmp_path)
    git("init", "--quiet", folder=folder)
    release(folder, "made")
    for name, text in {**TEAM_FILES, **OWN_FILES}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in DELETED:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    replace(folder / "pyproject.toml", "]\n\n[dependency-groups]", OWN_DEPENDENCY)
    with (folder / ".env.example").open("a") as example:
        example.write("\n# --- This service's own ---\n\n# partner\n# PARTNER=none\n")
    release(folder, "edited")
    next_release(repository)
    return folder


def update(project: Path) -> None:
    copier("update", "--defaults", "--quiet", folder=project)


def test_nothing_of_the_teams_is_lost_and_the_rest_is_the_new_release(project: Path, tmp_path: Path) -> None:
    before = contents(project)
    update(project)
    after = contents(project)
    assert not git("ls-files", "--unmerged", folder=project)
    assert not [name for name, text in after.items() if name.endswith(".rej") or b"<<<<<<<" in text]

    for name in [*TEAM_FILES, *OWN_FILES]:
        assert after[name] == before[name], f"{name} was the team's"
    gone = PathSpec.from_lines("gitignore", [f"/{name}" for name in DELETED])
    assert not [name for name in after if gone.match_file(name)]

    fresh = tmp_path / "fresh"
    answers = ["--data", "service_name=billing", "--data", "owner=@ours/team"]
    copier("copy", "--defaults", "--quiet", *answers, str(tmp_path / "template"), str(fresh), folder=tmp_path)
    both_write = {"pyproject.toml", ".env.example", *TEAM_FILES}
    for name, text in contents(fresh).items():
        if name not in both_write and not gone.match_file(name):
            assert after[name] == text, f"{name} is the template's"
    assert "src/billing/chassis/brand_new.py" in after

    project_file = after["pyproject.toml"].decode()
    assert '"uvloop>=0.24,<1"' in project_file
    assert OWN_DEPENDENCY in project_file
    assert b"by convention 8000" in after[".env.example"]
    assert after[".env.example"].endswith(b"# PARTNER=none\n")


def test_a_second_update_changes_nothing(project: Path) -> None:
    update(project)
    release(project, "updated")
    update(project)
    assert not git("status", "--porcelain", folder=project)


def test_the_suite_of_the_project_passes_before_and_after(template_repository: Path, tmp_path: Path) -> None:
    repository = shutil.copytree(template_repository, tmp_path / "template")
    folder = tmp_path / "billing"
    copier(
        "copy", "--defaults", "--quiet", "--data", "service_name=billing", str(repository), str(folder), folder=tmp_path
    )
    git("init", "--quiet", folder=folder)
    release(folder, "made")
    replace(repository / "template/docs/runbook.md.jinja", "## At a glance", "## First look")
    release(repository, "v0.2.0")
    uv("run", "--quiet", "pytest", "--quiet", "--no-cov", folder=folder)
    git("add", "--all", folder=folder)
    release(folder, "locked")
    update(folder)
    assert git("diff", "--name-only", folder=folder).split() == [".copier-answers.yml", "docs/runbook.md"]
    uv("run", "--quiet", "--locked", "pytest", "--quiet", "--no-cov", folder=folder)

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from new_service.errors import AnswersRefused, CouldNotWrite, RenderFailed, TemplateUnusable
from new_service.template import open_folder, open_template, render

from .conftest import SAMPLE, commit_all, tree

NAME = {"service_name": "billing"}
SETS: Mapping[str, Mapping[str, object]] = {
    "defaults": NAME,
    "bot": {**NAME, "service_type": "bot", "features": ["rate-limit", "postgres", "audit"]},
    "worker": {**NAME, "service_type": "worker", "broker": "kafka", "features": [], "public": True},
    "hostile": {**NAME, "description": "''' \\ {{ 7 * 7 }} {% raw %} ${HOME} # : ünï 🎉", "owner": "a: [b"},
}


def stock_copy(template: Path, answers: Mapping[str, object], destination: Path, ref: str = "HEAD") -> None:
    from copier import run_copy  # noqa: PLC0415 - slow, and only two tests ask copier

    run_copy(str(template), destination, dict(answers), vcs_ref=ref, defaults=True, quiet=True)


@pytest.mark.parametrize("name", SETS)
def test_a_project_is_the_one_that_stock_copier_makes(sample_repository: Path, work: Path, name: str) -> None:
    stock_copy(sample_repository, SETS[name], work / "stock" / "billing")
    with open_template(str(sample_repository)) as template:
        files = render(template, SETS[name], work / "ours" / "billing")
    assert tree(work / "ours") == tree(work / "stock")
    assert [path.as_posix() for path in files] == [*tree(work / "ours" / "billing")]


def test_a_released_version_is_the_one_that_stock_copier_makes(template: Path, work: Path) -> None:
    (template / "template" / "later.txt").write_text("x")
    commit_all(template, tag="v1.1.0")
    stock_copy(template, NAME, work / "stock" / "billing", ref="v1.0.0")
    with open_template(str(template), "v1.0.0") as opened:
        render(opened, NAME, work / "ours" / "billing")
    assert tree(work / "ours") == tree(work / "stock")


def test_one_path_may_become_several_files_as_in_copier(template: Path, work: Path) -> None:
    (template / "template" / "{% yield x from ['a', 'b'] %}{{ x }}{% endyield %}.txt.jinja").write_text("{{ x }}")
    commit_all(template)
    stock_copy(template, NAME, work / "stock" / "billing")
    with open_template(str(template)) as opened:
        for _ in range(2):
            render(opened, NAME, work / "ours" / "billing")
            assert tree(work / "ours") == tree(work / "stock")
            shutil.rmtree(work / "ours")


def test_the_real_template_is_the_one_that_stock_copier_makes(root: Path, work: Path) -> None:
    commit = ("git", "-C", str(root), "ls-tree", "--name-only", "HEAD", "template/")
    if not subprocess.run(commit, capture_output=True, check=False).stdout:
        pytest.skip("the repository's HEAD has no template")
    clone = work / "clone"
    subprocess.run(["git", "clone", "--quiet", str(root), str(clone)], check=True)
    stock_copy(clone, NAME, work / "stock" / "billing")
    with open_template(str(clone)) as template:
        render(template, NAME, work / "ours" / "billing")
    assert tree(work / "ours") == tree(work / "stock")


def test_a_persons_copier_settings_change_nothing(sample_repository: Path, work: Path, home: Path) -> None:
    settings = home / "config" / "copier" / "settings.yml"
    settings.parent.mkdir(parents=True)
    settings.write_text("defaults: {owner: '@somebody'}\n")
    with open_template(str(sample_repository)) as template:
        render(template, NAME, work / "billing")
    assert "@example/platform" in (work / "billing" / "README.md").read_text()


def test_one_template_renders_many_projects(sample_repository: Path, work: Path) -> None:
    with open_template(str(sample_repository)) as template:
        for name, answers in SETS.items():
            render(template, answers, work / name / "billing")
    with open_template(str(sample_repository)) as template:
        for name, answers in reversed([*SETS.items()]):
            render(template, answers, work / "again" / name / "billing")
    assert all(tree(work / name) == tree(work / "again" / name) for name in SETS)


def test_a_plain_folder_is_rendered_as_it_is(work: Path) -> None:
    template = open_folder(SAMPLE, source="https://example.com/t.git", commit="v9")
    render(template, NAME, work / "billing")
    recorded = (work / "billing" / ".copier-answers.yml").read_text()
    assert "_commit: v9\n" in recorded
    assert "_src_path: https://example.com/t.git\n" in recorded


def test_an_unknown_or_derived_question_is_refused(sample_repository: Path, work: Path) -> None:
    with open_template(str(sample_repository)) as template:
        for name in ("ownr", "reserved"):
            with pytest.raises(AnswersRefused, match=name):
                render(template, {**NAME, name: "x"}, work / "billing")


def test_an_invalid_answer_fails_the_render(sample_repository: Path, work: Path) -> None:
    with open_template(str(sample_repository)) as template, pytest.raises(RenderFailed, match="lowercase"):
        render(template, {"service_name": "Bad"}, work / "billing")
    assert not any(work.iterdir())


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("{{ nonsense }}", "'nonsense' is undefined"),
        ("{% if %}", "broken.txt.jinja:1"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 'a' + 1 }}", "str"),
        ("{% include 'nowhere' %}", "nowhere"),
        ("{% yield x from [1] %}{{ x }}{% endyield %}", "yield"),
    ],
)
def test_a_template_that_raises_leaves_nothing_behind(template: Path, work: Path, content: str, word: str) -> None:
    (template / "template" / "broken.txt.jinja").write_text(content)
    commit_all(template)
    with open_template(str(template)) as opened, pytest.raises(RenderFailed) as failed:
        render(opened, NAME, work / "a" / "billing")
    assert "broken.txt.jinja" in failed.value.message
    assert word in failed.value.message
    assert not any(work.iterdir())


def test_a_path_that_raises_leaves_nothing_behind(template: Path, work: Path) -> None:
    (template / "template" / "{{ nonsense }}.txt").write_text("x")
    commit_all(template)
    with open_template(str(template)) as opened, pytest.raises(RenderFailed, match="nonsense"):
        render(opened, NAME, work / "billing")
    assert not any(work.iterdir())


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("_tasks: ['touch /tmp/x']\n", "tasks"),
        ("_min_copier_version: '99'\n", "99"),
        ("_subdirectory: nowhere\n", "no folder 'nowhere'"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_refused(template: Path, work: Path, line: str, word: str) -> None:
    key = line.split(":", maxsplit=1)[0]
    text = (template / "copier.yml").read_text()
    kept = [old for old in text.splitlines(keepends=True) if not old.startswith(f"{key}:")]
    (template / "copier.yml").write_text(line + "".join(kept))
    commit_all(template)
    with open_template(str(template)) as opened, pytest.raises((RenderFailed, TemplateUnusable), match=word):
        render(opened, NAME, work / "billing")
    assert not any(work.iterdir())


def test_the_temporary_copy_is_removed(sample_repository: Path) -> None:
    with open_template(str(sample_repository)) as template:
        assert (template.folder / "copier.yml").is_file()
    assert not template.folder.exists()
    assert not template.folder.parent.exists()


def test_a_full_disk_is_told(sample_repository: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_bytes(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device", str(self))

    with open_template(str(sample_repository)) as template:
        _ = template.renderer
        monkeypatch.setattr(Path, "write_bytes", write_bytes)
        with pytest.raises(CouldNotWrite, match="No space left"):
            render(template, NAME, work / "billing")
    monkeypatch.undo()
    assert not any(work.iterdir())

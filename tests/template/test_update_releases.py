"""Layer 4: `new-service update` from every past release, whatever the team did, to one that changes everything."""

import json
from itertools import product
from pathlib import Path

import pytest

from new_service.check import check
from new_service.console import Console
from new_service.ownership import Owner

from .conftest import git, release
from .edit_kits import KITS, Kit
from .releases import WORKING, Releases
from .stories import OLDEST, Story, cases, contents, expected, recorded_answers, tell, unmerged, updated


@pytest.fixture
def story(releases: Releases, tmp_path: Path, request: pytest.FixtureRequest) -> Story:
    tag, kit, row = request.param
    return tell(releases, tmp_path, tag, KITS[kit], releases.answers(tag, row))


def found_by_check(project: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    check(project, Console(as_json=True))
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("story", [*cases([*product((OLDEST, WORKING), KITS)])], indirect=True)
def test_an_update_brings_the_release_and_keeps_what_the_team_did(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    tree, conflicts = expected(story)
    assert updated(story.project) == (1 if conflicts else 0)
    assert unmerged(story.project) == conflicts
    after = contents(story.project)
    assert {**after, **dict.fromkeys(conflicts)} == {**tree, **dict.fromkeys(conflicts)}
    committed = git("ls-tree", "-r", "--format=%(objectname)", "HEAD", folder=story.project).split()
    for path in conflicts:  # what the team wrote is whole beside the markers, under whichever name
        assert git("rev-parse", f":2:{path}", folder=story.project) in committed

    release(story.project, "updated")
    assert (
        updated(story.project, region="eu") == 0
    )  # an answer that it has: all is merged again, and nothing comes of it
    assert not git("status", "--porcelain", folder=story.project)

    found = found_by_check(story.project, capsys)
    fresh = contents(story.fresh)
    templates = {path for path in fresh if story.owner(path) is Owner.TEMPLATE}
    assert (found["outdated"], found["answers"]) == (False, [])
    assert {*found["missing"]} == templates - after.keys()
    assert {*found["edited"]} == {path for path in templates & after.keys() if after[path] != fresh[path]}


@pytest.mark.parametrize("kit", KITS.values(), ids=KITS)
def test_both_sides_meet_in_these_files_and_in_no_others(releases: Releases, tmp_path: Path, kit: Kit) -> None:
    story = tell(releases, tmp_path, WORKING, kit, {"service_name": "billing"})
    tree, conflicts = expected(story)
    assert conflicts == kit.conflicts
    moved = {
        "scripts/smoke.py": "scripts/probe.py",
        "tests/chassis/test_contract.py": "tests/platform/test_contract.py",
    }
    assert moved.items() <= story.renamed().items()
    if kit is KITS["template-files-too"]:
        assert all(b"# ours" in tree[name] for name in [*moved.values(), "src/billing/chassis/health.py", "justfile"])
    if kit is KITS["deletions"]:
        assert not tree.keys() & {"scripts/probe.py", "tests/platform/test_parts.py", "docs/runbook.md", "README.md"}


def test_answers_stay_whatever_the_release_deprecates_or_proposes_instead(releases: Releases, tmp_path: Path) -> None:
    story = tell(releases, tmp_path, WORKING, KITS["nothing"], {"service_name": "billing", "ci": "none"})
    before = recorded_answers(story.project)
    assert before["python_version"] != "3.12", "which is what the next release proposes"
    assert updated(story.project) == 0
    assert recorded_answers(story.project) == before | {"region": "eu"}
    assert not (story.project / ".github").exists()
    assert (story.project / "docs/region.md").read_text() == "It runs in eu.\n"

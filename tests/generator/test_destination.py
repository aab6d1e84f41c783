import os
from pathlib import Path

import pytest

from new_service.destination import files_below, staged
from new_service.errors import CouldNotWrite, DestinationTaken


class Stop(BaseException):
    """Stands for Ctrl-C."""


def write_and_stop(destination: Path) -> None:
    with staged(destination) as folder:
        (folder / "a").write_text("a")
        raise Stop


def test_a_project_appears_whole(work: Path) -> None:
    with staged(work / "billing") as folder:
        (folder / "a").write_text("a")
        assert not (work / "billing").exists()
    assert [path.name for path in work.iterdir()] == ["billing"]
    assert (work / "billing" / "a").read_text() == "a"


def test_the_folder_has_the_usual_rights(work: Path) -> None:
    (work / "usual").mkdir()
    with staged(work / "billing"):
        pass
    assert (work / "billing").stat().st_mode == (work / "usual").stat().st_mode


def test_missing_parents_are_made(work: Path) -> None:
    with staged(Path("a/b/billing")):
        pass
    assert (work / "a" / "b" / "billing").is_dir()


@pytest.mark.parametrize("destination", ["billing", "a/b/billing", "empty", "."])
def test_a_failure_leaves_nothing_behind(work: Path, destination: str) -> None:
    (work / "empty").mkdir() if destination == "empty" else None
    before = sorted(work.rglob("*"))
    with pytest.raises(Stop):
        write_and_stop(Path(destination))
    assert sorted(work.rglob("*")) == before


def test_an_empty_folder_is_filled_and_stays_the_same_folder(work: Path) -> None:
    inode = work.stat().st_ino
    with staged(Path()) as folder:
        (folder / "a").write_text("a")
        (folder / ".b").mkdir()
    assert sorted(path.name for path in work.iterdir()) == [".b", "a"]
    assert work.stat().st_ino == inode


def test_a_folder_with_anything_in_it_is_refused(work: Path) -> None:
    (work / "billing").mkdir()
    (work / "billing" / ".hidden").write_text("mine")
    with pytest.raises(DestinationTaken, match="not empty"), staged(work / "billing"):
        pass
    assert files_below(work) == [Path("billing/.hidden")]


def test_a_file_or_a_dangling_link_is_refused(work: Path) -> None:
    (work / "file").write_text("mine")
    (work / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        with pytest.raises(DestinationTaken, match="is a file"), staged(work / name):
            pass


def test_a_parent_that_is_a_file_is_told(work: Path) -> None:
    (work / "file").write_text("mine")
    with pytest.raises(CouldNotWrite, match="cannot be written"), staged(work / "file" / "billing"):
        pass


@pytest.mark.parametrize("parent", ["loop", "loop/deeper", "n" * 300, "made/" + "n" * 300], ids=lambda path: path[:9])
def test_a_parent_that_cannot_be_is_told_and_leaves_nothing_behind(work: Path, parent: str) -> None:
    (work / "loop").symlink_to("loop")
    with pytest.raises(CouldNotWrite, match="cannot be written"), staged(work / parent / "billing"):
        pass
    assert [path.name for path in work.iterdir()] == ["loop"]


def test_a_folder_may_have_the_longest_name_there_is(work: Path) -> None:
    with staged(work / ("n" * 255)) as folder:
        (folder / "a").write_text("a")
    assert (work / ("n" * 255) / "a").is_file()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_told(work: Path) -> None:
    work.chmod(0o500)
    with pytest.raises(CouldNotWrite, match="Permission denied"), staged(work / "a" / "billing"):
        pass
    work.chmod(0o700)

from pathlib import Path

import pytest

from new_service.answers_file import read_answers_file
from new_service.errors import UsageError


def write(work: Path, content: bytes) -> Path:
    path = work / "answers.yml"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "answers"),
    [
        (b"owner: me\nfeatures: [a]\n", {"owner": "me", "features": ["a"]}),
        (b'{"owner": "me"}', {"owner": "me"}),
        (b"_commit: v1\n_src_path: x\nowner: me\n", {"owner": "me"}),
        (b"", {}),
    ],
)
def test_yaml_json_and_the_answers_of_another_project_are_read(
    work: Path, content: bytes, answers: dict[str, object]
) -> None:
    assert read_answers_file(write(work, content)) == answers


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"a: [", "not YAML"),
        (b"- a", "no mapping"),
        (b"\xff", "not UTF-8"),
        (b"!!python/name:os.system", "not YAML"),
        (b"a: !!python/object/apply:os.system [id]", "not YAML"),
        (b"a: !!bool x", "not YAML"),
        (b"a: !!timestamp x", "not YAML"),
        (b"a: !!int ''", "not YAML"),
        (b"a: 2026-99-99", "not YAML"),
        (b"a: " + b"9" * 5_000, "not YAML"),
        (b"a: " + b"[" * 10_000, "nested too deeply"),
        (b"a: \x1b[31m", "not YAML"),
        (b"a: " + b"x" * 65_536, "over 65536 bytes"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_mapping_is_refused(work: Path, content: bytes, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        read_answers_file(write(work, content))


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="over 65536 bytes"):
        read_answers_file(Path("/dev/zero"))


def test_a_missing_file_or_a_folder_is_refused(work: Path) -> None:
    for path, word in {work / "none.yml": "No such file", work: "directory"}.items():
        with pytest.raises(UsageError, match=word):
            read_answers_file(path)

"""What is about to be written, for a person to nod at: the answers in a line, the files by owner."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath

from .answers import SERVICE_TYPE, Answers
from .ownership import Owner, Ownership
from .template import Template

_LONGEST = 6


def summarise(template: Template, answers: Answers, files: Sequence[PurePath]) -> list[str]:
    """Return the lines of the summary."""
    values = answers.recorded()
    ownership = Ownership(template.questionnaire, values)
    rows = list(_rows(files, ownership.of))
    width = max((len(name) for name, _ in rows), default=0)
    return [_headline(template, answers, len(files)), *(f"    {name:<{width}}   {note}" for name, note in rows)]


def counted(files: int) -> str:
    """Return a number of files in words."""
    return f"{files} file{'' if files == 1 else 's'}"


def _headline(template: Template, answers: Answers, count: int) -> str:
    question = template.questionnaire.questions[SERVICE_TYPE]
    choices = template.questionnaire.choices(question, answers.recorded())
    kind = next((choice.label for choice in choices if choice.value == answers.service_type), answers.service_type)
    features = ", ".join(answers.features)
    return " · ".join(part for part in (answers.service_name, kind, features, counted(count)) if part)


def _rows(files: Sequence[PurePath], owner: Callable[[PurePath], Owner]) -> Iterator[tuple[str, str]]:
    """Yield a line for each top folder, deeper where a folder has several owners, then the files beside them."""
    for top in dict.fromkeys(path.parts[0] for path in files if len(path.parts) > 1):
        yield from _folder_rows(PurePath(top), files, owner)
    heading = "./"
    for who in Owner:
        names = [path.name for path in files if len(path.parts) == 1 and owner(path) is who]
        if names:
            yield heading, f"{who.value}: {_listed(names)}"
            heading = ""


def _folder_rows(
    folder: PurePath, files: Sequence[PurePath], owner: Callable[[PurePath], Owner]
) -> Iterator[tuple[str, str]]:
    below = [path for path in files if path.is_relative_to(folder)]
    owners = {owner(path) for path in below}
    if len(owners) == 1:
        note = owners.pop()
        yield f"{folder.as_posix()}/", "the template's, updated for you" if note is Owner.TEMPLATE else note.value
        return
    children: dict[PurePath, list[PurePath]] = {}
    for path in below:
        children.setdefault(PurePath(*path.parts[: len(folder.parts) + 1]), []).append(path)
    yours = [child for child, paths in children.items() if {owner(path) for path in paths} == {Owner.TEAM}]
    if yours:
        yield f"{folder.as_posix()}/", f"yours: {_listed([_shown(child, children[child]) for child in yours])}"
    for child, paths in children.items():
        if child not in yours and [child] != paths:
            yield from _folder_rows(child, files, owner)


def _shown(child: PurePath, paths: Sequence[PurePath]) -> str:
    return f"{child.name}/" if [child] != paths else child.stem if child.suffix == ".py" else child.name


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _LONGEST
    return ", ".join(names[:_LONGEST]) + (f" and {rest} more" if rest > 0 else "")

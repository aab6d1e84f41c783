"""A template at one commit, in a plain folder, ready to be asked about and rendered.

Copier itself clones the template, asks git about each file and builds a new context for each string. A pinned commit
in a plain folder and one Jinja environment give the same bytes with less waiting; a test holds them equal.
`rendering` imports copier and is imported by nothing but `renderer` below, because that takes longer than all the rest.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from .catalogue import Catalogue
from .destination import files_below, staged
from .errors import AnswersRefused, TemplateUnusable, unknown_name
from .export import export
from .questions import Questionnaire
from .source import Pin, find

if TYPE_CHECKING:
    from .rendering import Renderer


@dataclass
class Template:
    """A template's files, and what a project made from it records. A context manager, as it may own a temporary folder.

    `commit` is what `git describe --tags --always` says, `source` an absolute URL or path.
    """

    folder: Path
    source: str
    commit: str
    notices: tuple[str, ...] = ()
    _temporary: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)

    @cached_property
    def questionnaire(self) -> Questionnaire:
        """The questions. Raises TemplateUnusable."""
        return Questionnaire.read(self.folder)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The features. Raises TemplateUnusable."""
        return Catalogue.read(self.questionnaire)

    @cached_property
    def renderer(self) -> "Renderer":
        """What renders this template; made once, so that every project shares its compiled Jinja."""
        from .rendering import Renderer  # noqa: PLC0415 - imports copier, see above

        return Renderer(self.folder, self.source, self.commit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()


def open_template(source: str | None = None, ref: str | None = None) -> Template:
    """Find a template, pin it and copy the pinned commit into a temporary folder; use it in a `with` statement.

    Without a source it is the checkout that this package runs from. A folder stands for its HEAD, a URL for its latest
    release, unless `ref` names another version. Raises TemplateUnusable, TemplateUnreachable and ToolMissing.
    """
    temporary = tempfile.TemporaryDirectory(prefix="new-service-")
    try:
        template = template_at(find(source, Path(temporary.name)).pin(ref), Path(temporary.name, "template"))
    except BaseException:
        temporary.cleanup()
        raise
    return replace(template, _temporary=temporary)


def template_at(pinned: Pin, folder: Path) -> Template:
    """Copy a pinned commit into a folder that does not exist yet."""
    folder.mkdir()
    export(pinned, folder.resolve())
    return Template(folder.resolve(), pinned.source, pinned.commit, pinned.notices)


def open_folder(folder: Path, *, source: str, commit: str) -> Template:
    """Take the files of a folder as they are, committed or not, and let projects record `source` and `commit`."""
    return Template(folder.resolve(), source, commit)


def render(template: Template, answers: Mapping[str, object], destination: Path) -> list[Path]:
    """Render a project into a new or empty folder and return the sorted relative paths of its files.

    Questions without an answer get the template's default. A render that fails leaves nothing behind. Raises
    AnswersRefused for an unknown question, RenderFailed, DestinationTaken and CouldNotWrite.
    """
    questions = template.questionnaire.questions
    valid = [name for name, question in questions.items() if not question.is_derived]
    unknown = [name for name in answers if name not in valid]
    if unknown:
        raise AnswersRefused(unknown_name("question", name, valid) for name in unknown)
    subdirectory = str(template.questionnaire.settings.get("subdirectory", ""))
    if not (template.folder / subdirectory).is_dir() and "{" not in subdirectory:
        raise TemplateUnusable(f"the template has no folder {subdirectory!r}", "commit the files to render, too")
    with staged(destination) as folder:
        template.renderer.render(answers, folder, destination.resolve())
        return files_below(folder)

"""Copier's worker without its detours: a plain folder, one Jinja environment, one context for all files.

It leans on copier's internals, so pyproject.toml pins copier's minor version, and a test compares whole trees with
those of stock copier. Imported by nothing but `template.render`.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePath

from copier._jinja_ext import SandboxedEnvironment, get_yield_context
from copier._main import Worker
from copier._settings import SettingsModel
from copier._template import Template as CopierTemplate
from copier._types import AnyByStrDict, AnyByStrMutableMapping
from copier.errors import CopierError
from jinja2 import Template as JinjaTemplate
from jinja2 import TemplateError, TemplateSyntaxError

from .errors import CouldNotWrite, NewServiceError, RenderFailed


class Renderer:
    """Renders projects from one template folder."""

    def __init__(self, folder: Path, source: str, commit: str) -> None:
        self._template = CopierTemplate(url=source)
        # Filling the cached properties is all it takes for copier to believe that it cloned the template itself.
        self._template.__dict__ |= {
            "local_abspath": folder,
            "commit": commit,
            "commit_hash": commit,
            "vcs": None,
            "git_index_modes": {},
        }
        self._environment: SandboxedEnvironment | None = None
        self._compiled: dict[str, JinjaTemplate] = {}

    def render(self, answers: Mapping[str, object], folder: Path, destination: Path) -> None:
        """Render into an existing empty folder what will be moved to `destination`. Raises RenderFailed."""
        worker = _PlainWorker(
            dst_path=folder,
            data=dict(answers),
            settings=SettingsModel(),  # not the user's own: the same answers give the same project everywhere
            defaults=True,
            quiet=True,
        )
        worker.destination = destination
        worker.__dict__["template"] = self._template
        worker.compiled = self._compiled
        try:
            worker.__dict__["jinja_env"] = self._environment = self._environment or worker.jinja_env
            worker.run_copy()
        except NewServiceError:
            raise
        except (CopierError, TemplateError, ValueError, KeyError, TypeError) as error:
            raise _failed("the template", error) from error


class _PlainWorker(Worker):
    destination: PurePath
    compiled: dict[str, JinjaTemplate]
    _context: AnyByStrDict | None = None

    @cached_property
    def answers_relpath(self) -> Path:  # copier renders it anew for each part of each path
        return super().answers_relpath

    def _render_context(self) -> AnyByStrMutableMapping:
        if self._context is not None:
            return self._context
        context = super()._render_context()
        context["_folder_name"] = self.destination.name
        context["_copier_conf"]["dst_path"] = self.destination
        return context

    def _render_string(self, string: str, extra_context: AnyByStrDict | None = None) -> str:
        self._forget_yield()
        if string not in self.compiled:
            self.compiled[string] = self.jinja_env.from_string(string)
        return self.compiled[string].render(**self._render_context(), **(extra_context or {}))

    def _forget_yield(self) -> None:
        paths = get_yield_context(self.jinja_env)  # compiling resets it, and here that happens only once
        paths.yield_name = paths.yield_iterable = None

    def _render_template(self) -> None:
        _ = self.answers_relpath  # changes the context that it is rendered with, so it comes first
        self._context = dict(self._render_context())
        super()._render_template()

    def _render_file(self, src_relpath: Path, dst_relpath: Path, extra_context: AnyByStrDict | None = None) -> None:
        self._forget_yield()
        try:
            super()._render_file(src_relpath, dst_relpath, extra_context)
        except OSError as error:
            if isinstance(error, TemplateError):  # jinja2.TemplateNotFound is both
                raise _failed(str(src_relpath), error) from error
            raise CouldNotWrite(f"{dst_relpath} cannot be written: {error.strerror}", "free some space") from error
        except Exception as error:  # whatever an expression raises is the template's mistake
            raise _failed(str(src_relpath), error) from error

    def _sync_git_index_executable_bit(self, dst_relpath: Path, src_mode: int) -> None:
        """Do nothing: a new folder has no index. Copier asks git for each file."""


def _failed(what: str, error: Exception) -> RenderFailed:
    line = f":{error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
    return RenderFailed(f"{what}{line} cannot be rendered: {error}", "correct the template")

"""The features of a template: the `_features` table of copier.yml and the `_exclude` blocks that list their files."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import TemplateUnusable
from .questions import Questionnaire

_BLOCK = re.compile(r"\{%\s*if '(?P<name>[^']+)' not in features\s*%\}\n(?P<paths>.*?)\{%\s*endif\s*%\}", re.DOTALL)


class Feature(BaseModel):
    """One row of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: tuple[str, ...]
    needs: tuple[str, ...] = ()
    preset: Literal["standard", "full"]
    group: str
    brings: str


@dataclass(frozen=True)
class Catalogue:
    """All features in the template's order, and the files of each."""

    features: Mapping[str, Feature]
    files: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, questionnaire: Questionnaire) -> "Catalogue":
        """Read the table. Raises TemplateUnusable where it contradicts itself."""
        table: object = questionnaire.settings.get("features", {})
        if not isinstance(table, dict):
            raise TemplateUnusable("_features in the template's copier.yml is no table", "correct it")
        features = {str(name): _feature(str(name), row) for name, row in table.items()}
        for name, feature in features.items():
            for needed in feature.needs:
                _check_need(name, feature, needed, features)
        return cls(features, dict(_files(questionnaire.settings.get("exclude"))))

    def allowed(self, service_type: str) -> list[str]:
        """Return the names of the features that a service type can have."""
        return [name for name, feature in self.features.items() if service_type in feature.types]

    def groups(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Return the names under their headings, in the order in which the headings first appear."""
        grouped: dict[str, list[str]] = {}
        for name in names:
            grouped.setdefault(self.features[name].group, []).append(name)
        return grouped


def _feature(name: str, row: object) -> Feature:
    try:
        return Feature.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TemplateUnusable(
            f"feature {name!r} in the template's copier.yml: {where}: {first['msg']}", "correct it"
        ) from error


def _check_need(name: str, feature: Feature, needed: str, features: Mapping[str, Feature]) -> None:
    other = features.get(needed)
    if other is None or not set(feature.types) <= set(other.types):
        why = "which does not exist" if other is None else "which has fewer service types"
        raise TemplateUnusable(f"feature {name!r} in the template's copier.yml needs {needed!r}, {why}", "correct it")
    if feature.preset == "standard" and other.preset != "standard":
        raise TemplateUnusable(f"feature {name!r} is standard but needs {needed!r}, which is not", "correct it")


def _files(blocks: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    for block in blocks if isinstance(blocks, list) else []:
        found = _BLOCK.search(str(block))
        if found:
            paths = (line.strip().removeprefix("/") for line in found["paths"].splitlines())
            yield found["name"], tuple(path for path in paths if path and not path.startswith("#"))

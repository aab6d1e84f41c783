"""`new-service features`: the catalogue of a template."""

from collections.abc import Sequence

from .answers import SERVICE_TYPE
from .catalogue import Catalogue
from .console import Console
from .errors import unknown_name
from .organisation import choose_template
from .questions import Questionnaire
from .selection import PRESETS, preset_features
from .template import open_template


def show_features(source: str | None, ref: str | None, service_type: str | None, console: Console) -> int:
    """Print what each feature brings and needs, and its files with --json; return the exit code."""
    with open_template(*choose_template(source, ref)) as template:
        types = service_types(template.questionnaire)
        if service_type is not None and service_type not in types:
            raise unknown_name("service type", service_type, types)
        catalogue = template.catalogue
        names = list(catalogue.features) if service_type is None else catalogue.allowed(service_type)
        if console.as_json:
            console.document(_document(catalogue, names, types if service_type is None else [service_type]))
        elif names:
            _print_table(catalogue, names, console)
        else:
            console.line("there are no features yet" + (f" for {service_type}" if service_type else ""))
    return 0


def service_types(questionnaire: Questionnaire) -> list[str]:
    """Return the service types that the template offers."""
    question = questionnaire.questions.get(SERVICE_TYPE)
    return [str(choice.value) for choice in questionnaire.choices(question, {})] if question else []


def _document(catalogue: Catalogue, names: Sequence[str], types: Sequence[str]) -> dict[str, object]:
    features = [
        {"name": name, **catalogue.features[name].model_dump(), "files": catalogue.files.get(name, ())}
        for name in names
    ]
    presets = {preset: {kind: preset_features(catalogue, preset, kind) for kind in types} for preset in PRESETS}
    return {"features": features, "presets": presets}


def _print_table(catalogue: Catalogue, names: Sequence[str], console: Console) -> None:
    width = max(map(len, names))
    for group, members in catalogue.groups(names).items():
        console.line(group, style="bold")
        for name in members:
            feature = catalogue.features[name]
            facts = [", ".join(feature.types), feature.preset, *(f"needs {needed}" for needed in feature.needs)]
            console.line(f"    {name:<{width}}  {feature.brings}")
            console.line(f"    {'':<{width}}  {' · '.join(facts)}", style="dim")

"""Which features a service gets: presets, single wishes, and what features require of each other.

A wish on the command line beats a preset, a preset beats the features of an answers file or of the organisation's
defaults, and without any of these the standard preset holds. Nothing is added or dropped behind a person's back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .catalogue import Catalogue
from .errors import NewServiceError, UsageError, unknown_name

PRESETS: Final = ("minimal", "standard", "full")
DEFAULT_PRESET: Final = "standard"


@dataclass(frozen=True)
class Wishes:
    """What was said about features, and by whom: `listed` is a whole list out of a file, None if there is none."""

    preset: str | None = None
    wanted: Sequence[str] = ()
    unwanted: Sequence[str] = ()
    listed: Sequence[str] | None = None

    @property
    def is_silent(self) -> bool:
        """Whether nobody said anything, so that a person at the terminal is asked."""
        return self.preset is None and self.listed is None and not self.wanted and not self.unwanted


def preset_features(catalogue: Catalogue, preset: str, service_type: str) -> list[str]:
    """Return what a preset means for a service type, in the catalogue's order."""
    included = {"minimal": (), "standard": ("standard",), "full": ("standard", "full")}[preset]
    return [name for name in catalogue.allowed(service_type) if catalogue.features[name].preset in included]


def select_features(catalogue: Catalogue, service_type: str, wishes: Wishes) -> list[str]:
    """Return the features that fulfil all wishes, in the catalogue's order. `refusals` must have found nothing."""
    base = wishes.listed
    if wishes.preset is not None or base is None:
        base = preset_features(catalogue, wishes.preset or DEFAULT_PRESET, service_type)
    chosen = {*base, *wishes.wanted} - set(wishes.unwanted)
    return [name for name in catalogue.features if name in chosen]


def refusals(catalogue: Catalogue, service_type: str | None, wishes: Wishes) -> Iterator[NewServiceError]:
    """Yield every wish that cannot be fulfilled; without a valid service type only the names are checked."""
    named = [*wishes.wanted, *wishes.unwanted, *(wishes.listed or ())]
    unknown = [name for name in dict.fromkeys(named) if name not in catalogue.features]
    for name in unknown:
        yield unknown_name("feature", name, catalogue.allowed(service_type) if service_type else catalogue.features)
    if wishes.preset is not None and wishes.preset not in PRESETS:
        yield unknown_name("preset", wishes.preset, PRESETS)
        return
    for name in sorted(set(wishes.wanted) & set(wishes.unwanted)):
        yield UsageError(f"feature {name!r} is both wanted and unwanted", "give --feature or --no-feature, not both")
    if not unknown and service_type is not None:
        yield from _of_another_type(catalogue, service_type, wishes)
        yield from _needs(catalogue, select_features(catalogue, service_type, wishes), wishes)


def unmet_needs(catalogue: Catalogue, chosen: Sequence[str]) -> dict[str, list[str]]:
    """Return each needed feature that was not chosen, with the chosen ones that need it."""
    unmet: dict[str, list[str]] = {}
    for name in chosen:
        for needed in catalogue.features[name].needs:
            if needed not in chosen:
                unmet.setdefault(needed, []).append(name)
    return unmet


def _of_another_type(catalogue: Catalogue, service_type: str, wishes: Wishes) -> Iterator[NewServiceError]:
    listed = () if wishes.preset is not None else wishes.listed or ()
    for name in dict.fromkeys([*wishes.wanted, *listed]):
        types = catalogue.features[name].types
        if service_type not in types and name not in wishes.unwanted:
            valid = ", ".join(catalogue.allowed(service_type)) or "none"
            yield UsageError(
                f"feature {name!r} is only for the service types {', '.join(types)}, not for {service_type}",
                f"valid for {service_type}: {valid}",
            )


def _needs(catalogue: Catalogue, chosen: Sequence[str], wishes: Wishes) -> Iterator[NewServiceError]:
    for needed, by in unmet_needs(catalogue, chosen).items():
        hint = f"add --feature {needed}"
        if needed in wishes.unwanted:
            hint = f"leave out --no-feature {needed}, or add {' '.join(f'--no-feature {name}' for name in by)}"
        plural = len(by) > 1
        yield UsageError(
            f"feature{'s' if plural else ''} {', '.join(map(repr, by))} need{'' if plural else 's'} {needed!r}", hint
        )

import pytest

from new_service.catalogue import Catalogue
from new_service.errors import NewServiceError
from new_service.selection import Wishes, preset_features, refusals, select_features, unmet_needs


def refused(catalogue: Catalogue, service_type: str | None = "api", **wishes: object) -> list[NewServiceError]:
    return list(refusals(catalogue, service_type, Wishes(**wishes)))  # pyrefly: ignore[bad-argument-type] - keywords of Wishes


@pytest.mark.parametrize(
    ("preset", "service_type", "expected"),
    [
        ("minimal", "api", []),
        ("standard", "api", ["rate-limit", "sentry"]),
        ("standard", "worker", ["sentry"]),
        ("full", "api", ["rate-limit", "sentry", "tracing", "postgres", "audit", "load-test"]),
        ("full", "worker", ["sentry", "tracing", "postgres", "audit"]),
    ],
)
def test_a_preset_holds_what_the_type_allows(
    catalogue: Catalogue, preset: str, service_type: str, expected: list[str]
) -> None:
    assert preset_features(catalogue, preset, service_type) == expected


def test_single_wishes_beat_the_preset(catalogue: Catalogue) -> None:
    wishes = Wishes(preset="standard", wanted=["tracing"], unwanted=["sentry"])
    assert select_features(catalogue, "api", wishes) == ["rate-limit", "tracing"]


def test_a_preset_beats_a_list_out_of_a_file(catalogue: Catalogue) -> None:
    assert select_features(catalogue, "api", Wishes(preset="minimal", listed=["tracing"])) == []
    assert select_features(catalogue, "api", Wishes(listed=["tracing"])) == ["tracing"]


def test_without_any_wish_the_standard_preset_holds(catalogue: Catalogue) -> None:
    assert select_features(catalogue, "api", Wishes()) == ["rate-limit", "sentry"]
    assert select_features(catalogue, "api", Wishes(listed=[])) == []


def test_an_unknown_feature_is_refused_with_the_valid_names(catalogue: Catalogue) -> None:
    for wish in ("wanted", "unwanted", "listed"):
        (problem,) = refused(catalogue, "worker", **{wish: ["tracin"]})
        assert problem.message == "feature 'tracin' does not exist"
        assert problem.hint == "did you mean 'tracing'? valid: sentry, tracing, postgres, audit"


def test_an_unknown_preset_is_refused(catalogue: Catalogue) -> None:
    (problem,) = refused(catalogue, preset="ful")
    assert problem.hint == "did you mean 'full'? valid: minimal, standard, full"


def test_a_feature_of_another_type_is_refused(catalogue: Catalogue) -> None:
    (problem,) = refused(catalogue, "bot", wanted=["load-test"])
    assert problem.message == "feature 'load-test' is only for the service types api, not for bot"
    assert "load-test" not in problem.hint


def test_an_unmet_need_is_refused_with_the_flag_that_meets_it(catalogue: Catalogue) -> None:
    (problem,) = refused(catalogue, wanted=["audit"])
    assert (problem.message, problem.hint) == ("feature 'audit' needs 'postgres'", "add --feature postgres")
    assert not refused(catalogue, wanted=["audit", "postgres"])
    assert not refused(catalogue, wanted=["audit"], preset="full")


def test_a_need_that_was_refused_by_hand_names_both_ways_out(catalogue: Catalogue) -> None:
    (problem,) = refused(catalogue, preset="full", unwanted=["postgres"])
    assert problem.hint == "leave out --no-feature postgres, or add --no-feature audit"
    assert not refused(catalogue, preset="full", unwanted=["postgres", "audit"])


def test_a_feature_cannot_be_wanted_and_unwanted(catalogue: Catalogue) -> None:
    (problem,) = refused(catalogue, wanted=["tracing"], unwanted=["tracing"])
    assert "both" in problem.message


def test_without_a_valid_type_only_names_are_checked(catalogue: Catalogue) -> None:
    assert not refused(catalogue, None, wanted=["load-test"])
    assert refused(catalogue, None, wanted=["nonsense"])


def test_unmet_needs_are_told_for_the_wizard(catalogue: Catalogue) -> None:
    assert unmet_needs(catalogue, ["audit", "sentry"]) == {"postgres": ["audit"]}
    assert unmet_needs(catalogue, ["audit", "postgres"]) == {}

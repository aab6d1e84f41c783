from .conftest import NewService


def test_the_catalogue_is_grouped(new_service: NewService) -> None:
    lines = new_service("features").out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["traffic", "observability", "data", "quality"]
    assert "    audit       a hash-chained trail" in lines
    assert "                api, bot, worker · full · needs postgres" in lines


def test_one_type_can_be_chosen(new_service: NewService) -> None:
    assert "load-test" not in new_service("features", "--type", "bot").out


def test_an_unknown_type_is_refused(new_service: NewService) -> None:
    outcome = new_service("features", "--type", "bots")
    assert outcome.code == 2
    assert "did you mean 'bot'? valid: api, bot, worker" in outcome.err


def test_json_names_the_files_and_the_presets(new_service: NewService) -> None:
    document = new_service("features", "--json").document
    audit = next(feature for feature in document["features"] if feature["name"] == "audit")
    assert audit == {
        "name": "audit",
        "types": ["api", "bot", "worker"],
        "needs": ["postgres"],
        "preset": "full",
        "group": "data",
        "brings": "a hash-chained trail",
        "files": ["src/*/chassis/audit.py", "docs/audit.md"],
    }
    assert document["presets"]["standard"] == {
        "api": ["rate-limit", "sentry"],
        "bot": ["rate-limit", "sentry"],
        "worker": ["sentry"],
    }
    assert [*new_service("features", "--json", "--type", "bot").document["presets"]["full"]] == ["bot"]

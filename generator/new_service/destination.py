"""The folder a project is written to: it appears whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import CouldNotWrite, DestinationTaken


def refuse_taken(destination: Path) -> None:
    """Raise DestinationTaken unless the folder is missing or empty, CouldNotWrite where no folder can be."""
    with _write_errors(destination), suppress(FileNotFoundError):
        destination.parent.stat()  # a loop of links, or a name that is too long, would be a bug of ours further on
    if not os.path.lexists(destination):
        return
    if not destination.is_dir():
        raise DestinationTaken(f"{destination} is a file", "name a folder that does not exist yet")
    try:
        is_empty = next(destination.iterdir(), None) is None
    except OSError as error:
        raise CouldNotWrite(f"{destination} cannot be read: {error.strerror}", "choose another folder") from error
    if not is_empty:
        raise DestinationTaken(f"{destination} is not empty", "name a folder that does not exist yet or is empty")


@contextmanager
def staged(destination: Path) -> Iterator[Path]:
    """Yield a temporary folder beside the destination, which takes its place if nothing fails.

    Parent folders are made, and removed again after a failure. An empty destination is kept and filled, because a
    shell may stand in it.
    """
    refuse_taken(destination)
    destination = destination.resolve()
    created = _missing_parents(destination)
    try:
        with _write_errors(destination):
            destination.parent.mkdir(parents=True, exist_ok=True)
            parent = destination if destination.exists() else destination.parent
            folder = Path(tempfile.mkdtemp(prefix=".new-service-", dir=parent))
        try:
            yield folder
            with _write_errors(destination):
                _publish(folder, destination)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except BaseException:
        for path in created:
            with suppress(OSError):  # it was not made yet, or somebody else has put something there
                path.rmdir()
        raise


def files_below(folder: Path) -> list[Path]:
    """Return the sorted relative paths of all files, symbolic links included."""
    return sorted(
        Path(root, name).relative_to(folder)
        for root, folders, names in os.walk(folder)
        for name in [*names, *(name for name in folders if Path(root, name).is_symlink())]
    )


def _publish(folder: Path, destination: Path) -> None:
    if folder.parent == destination:
        for path in list(folder.iterdir()):
            path.rename(destination / path.name)
        return
    folder.chmod(0o777 & ~_umask())  # mkdtemp makes it private
    folder.rename(destination)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _missing_parents(destination: Path) -> list[Path]:
    return [path for path in destination.parents if not path.exists()]


@contextmanager
def _write_errors(destination: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CouldNotWrite(
            f"{destination} cannot be written: {error.strerror or error}", "choose another folder, or mend its rights"
        ) from error

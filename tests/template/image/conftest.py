"""Builds the image of a service once, on a base that needs no registry."""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from new_service.steps import uv_program
from new_service.template import Template
from tests.answer_sets import VALID
from tests.template.conftest import make

from .engine import Engine, missing
from .private_index import PrivateIndex, public_authorities

BASE = "docker.io/library/python:3.13-slim"  # the template's default
OTHER_BASE = "localhost/company/python:3"
SUITE = "trixie"  # its Python is 3.13
# What sets Debian's own Python apart from the one in the image of that name.
AS_IN_THE_IMAGE = 'chroot "$1" sh -c "ln -s python3 /usr/bin/python && rm /usr/lib/python3*/EXTERNALLY-MANAGED"'
PACKAGE = "tini"


@dataclass(frozen=True)
class Image:
    """A built image, what it was built from and what the build printed."""

    name: str
    context: Path
    log: str


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    if lacking := missing():
        pytest.skip(f"building and running an image without a registry lacks here: {', '.join(lacking)}")
    # Not pytest's folder: podman refuses long paths, and the storage is too large to be kept.
    with tempfile.TemporaryDirectory(prefix="image-", dir="/var/tmp") as folder:
        engine = Engine(Path(folder))
        engine.set_up()
        yield engine
        engine.close()


@pytest.fixture(scope="session")
def base(engine: Engine) -> str:
    """Stand in for the official image: Debian, its CPython and pip."""
    archive = engine.folder / "tmp/base.tar"
    engine.run("mmdebstrap", "--quiet", "--variant=minbase", "--include=python3,python3-pip",
               f"--customize-hook={AS_IN_THE_IMAGE}", SUITE, archive)  # fmt: skip
    engine.podman("import", "--change=CMD python3", archive, BASE)
    archive.unlink()
    return BASE


@pytest.fixture(scope="session")
def other_base(engine: Engine, base: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A base image of a company, which brings its certificate authorities along."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "authorities.pem").write_text(public_authorities())
    (folder / "Dockerfile").write_text(f"FROM {base}\nCOPY authorities.pem /\nENV SSL_CERT_FILE=/authorities.pem\n")
    engine.build(folder, OTHER_BASE)
    return OTHER_BASE


@pytest.fixture(scope="session")
def service(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered service with its lock."""
    folder = make(template, VALID["defaults"], tmp_path_factory.mktemp("image") / "billing")
    subprocess.run([uv_program(), "lock", "--quiet", "--python", sys.executable], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="session")
def index(service: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateIndex]:
    """A private index that leads to the one which the lock names."""
    packages = tomllib.loads((service / "uv.lock").read_text())["package"]
    upstream = next(package["source"]["registry"] for package in packages if "registry" in package["source"])
    index = PrivateIndex(tmp_path_factory.mktemp("index"), upstream)
    with index.served():
        yield index


@pytest.fixture(scope="session")
def image(engine: Engine, base: str, service: Path, index: PrivateIndex) -> Image:
    """The image, built with the company's index and certificate authority."""
    return Image("localhost/billing", service, engine.build(service, "localhost/billing", *index.build_secrets))


@pytest.fixture(scope="session")
def other_image(engine: Engine, other_base: str, service: Path, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image on another base, without secrets, with a system package, from a checkout that only its owner reads."""
    context = shutil.copytree(service, tmp_path_factory.mktemp("other") / "billing")
    with (context / "apt-packages.txt").open("a") as packages:
        packages.write(f"\n{PACKAGE} # the first process\n")
    subprocess.run(["chmod", "--recursive", "go-rwx", context], check=True)
    log = engine.build(context, "localhost/other", f"--build-arg=BASE_IMAGE={other_base}")
    return Image("localhost/other", context, log)

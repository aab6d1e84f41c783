"""A company's package index: with a password, behind a certificate that only the company trusts."""

import base64
import os
import secrets
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class PrivateIndex:
    """Sends whoever knows the password on to ``upstream``, and remembers what was asked for."""

    folder: Path
    upstream: str
    password: str = field(default_factory=lambda: secrets.token_hex(16))
    asked: set[str] = field(default_factory=set)

    @property
    def credentials(self) -> str:
        return base64.b64encode(f"builder:{self.password}".encode()).decode()

    @property
    def canaries(self) -> dict[str, str]:
        """Texts that must be found nowhere."""
        certificate = (self.folder / "authority.pem").read_text().splitlines()
        return {"password": self.password, "encoded password": self.credentials, "certificate": certificate[5]}

    @property
    def build_secrets(self) -> list[str]:
        return [f"--secret=id={name},src={self.folder / name}" for name in ("package_index", "ca_certificate")]

    @contextmanager
    def served(self) -> Iterator[None]:
        make_certificates(self.folder)
        certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.load_cert_chain(self.folder / "index.pem", self.folder / "index.key")
        with ThreadingHTTPServer(("127.0.0.1", 0), handler(self)) as server:
            server.socket = certificate.wrap_socket(server.socket, server_side=True)
            address = f"https://builder:{self.password}@localhost:{server.server_port}/simple"
            (self.folder / "package_index").write_text(f"{address}\n")
            (self.folder / "ca_certificate").write_text(
                (self.folder / "authority.pem").read_text() + public_authorities()
            )
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield
            server.shutdown()


def handler(index: PrivateIndex) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/simple/").strip("/")
            if self.headers["authorization"] != f"Basic {index.credentials}":
                self.answer(401, "www-authenticate", 'Basic realm="packages"')
            else:
                index.asked.add(name)
                self.answer(302, "location", f"{index.upstream}/{name}/")

        def answer(self, status: int, header: str, value: str) -> None:
            self.send_response(status)
            self.send_header(header, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    return Handler


def make_certificates(folder: Path) -> None:
    """Write an authority, and a certificate for localhost that it signed."""
    authority = ["-subj", "/CN=test authority", "-keyout", "authority.key", "-out", "authority.pem"]
    signed = ["-subj", "/CN=localhost", "-CA", "authority.pem", "-CAkey", "authority.key", "-keyout", "index.key"]
    signed += ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
    for options in (authority, [*signed, "-out", "index.pem"]):
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *options]
        subprocess.run(command, cwd=folder, capture_output=True, check=True)


def public_authorities() -> str:
    """Return the certificate authorities that this machine trusts, as PEM."""
    found = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    return Path(found or "/etc/ssl/certs/ca-certificates.crt").read_text()

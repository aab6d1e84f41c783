"""The client for whatever this service calls: always with an end, and with the id of the work that it calls for."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2

from .errors import Kind, ServiceError
from .request_id import REQUEST_ID
from .settings import CommonSettings
from .tasks import DEADLINE

SAFE_TO_REPEAT = {"safe_to_repeat": True}  # extensions of a call that does no harm when it is made twice


class DependencyUnavailable(ServiceError, httpx2.TransportError):
    """What was called cannot be reached or does not answer in time; the cause says how."""

    code = "dependency_unavailable"
    kind = Kind.UNAVAILABLE


class HttpClient(httpx2.AsyncClient):
    """A call with its body, or the head of a stream, ends within its own timeout and that of the work in hand."""

    def __init__(self, settings: CommonSettings, identity: Mapping[str, str], **options: Any) -> None:
        self.seconds = settings.call_timeout_seconds
        super().__init__(timeout=self.seconds, headers={"user-agent": identity["service"]}, **options)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Raises DependencyUnavailable."""
        if request_id := REQUEST_ID.get():
            request.headers.setdefault("x-request-id", request_id)
        try:
            async with asyncio.timeout_at(min(DEADLINE.get(), asyncio.get_running_loop().time() + self.seconds)):
                return await super().send(request, **options)
        except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError):
            raise  # a bug in the call; trying again would not mend it
        except (TimeoutError, httpx2.TransportError) as error:
            error.add_note(f"while calling {request.url.scheme}://{request.url.netloc.decode()}")
            raise DependencyUnavailable("Something that this service needs does not answer.") from error

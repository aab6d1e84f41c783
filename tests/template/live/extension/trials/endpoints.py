"""Endpoints that are slow, fail, hang or work in the background."""

import asyncio
import contextvars
import logging
import threading
import time
import warnings
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated
from urllib.parse import quote, unquote, urlsplit

import structlog
from fastapi import APIRouter, BackgroundTasks, Body, HTTPException, Request, UploadFile
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BaseModel, TypeAdapter, ValidationError

from ..chassis.errors import Kind, ServiceError

router = APIRouter(prefix="/trials")
log = structlog.get_logger(__name__)


class WarehouseClosed(ServiceError):
    """An expected error of our own."""

    code = "warehouse_closed"
    kind = Kind.UNAVAILABLE


@router.get("/slow/{seconds}")
async def slow(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


@router.get("/thread/{seconds}")
async def thread(seconds: float) -> str:
    await asyncio.to_thread(time.sleep, seconds)
    return "done"


@router.get("/block/{seconds}")
async def block(seconds: float) -> str:
    time.sleep(seconds)  # noqa: ASYNC251 - this is the fault that liveness has to find
    return "done"


@router.get("/bug")
async def bug(request: Request) -> None:
    token = request.app.state.resources.settings.pay_token
    log.info("about to fail", pay_token=token, nested={"Password": token.get_secret_value()})
    raise LookupError("an-internal-name")


@dataclass
class Login:
    """Shows its password, as most objects do."""

    password: str


class Session:
    """Shows its key without a name."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __repr__(self) -> str:
        return f"<Session {self.key}>"


@router.get("/leak")
async def leak(request: Request) -> None:
    settings = request.app.state.resources.settings
    token, password = settings.pay_token.get_secret_value(), ""
    if settings.database_url:
        password = str(urlsplit(settings.database_url.get_secret_value()).password)
    given = request.headers["canary"]  # not written here, because Sentry gets the lines around an error
    structlog.contextvars.bind_contextvars(user="alice", iban=given, sent={"deep": [{"Api-Key": given}]})
    structlog.contextvars.bind_contextvars(names={f"{given}@mail.example": 1}, login=Login(given))
    structlog.contextvars.bind_contextvars(sessions=f"token=[{Session(given)}]")
    structlog.contextvars.bind_contextvars(deep=[[[[[MappingProxyType({"token": Session(given)})]]]]])
    try:
        TypeAdapter(int).validate_python([given])
    except ValidationError as error:
        texts = token, quote(token, safe=""), f"{given}@mail.example", f"{given}%40mail.example", f"db://me:{given}@host/"
        texts += f"https://shop.example/?for={given}", password, unquote(password)
        raise ConnectionError("refused: " + ", ".join(texts)) from error


@router.get("/tangled")
async def tangled() -> str:
    """Log an error with a field that contains itself."""
    knot: dict[str, object] = {}
    knot["knot"] = knot
    try:
        fail()
    except LookupError:
        with suppress(RecursionError):  # of the line
            log.exception("tangled", knot=knot)
    return "told"


@router.get("/retold")
async def retold(request: Request) -> None:
    """Let one error be logged in a task, by the task's supervisor, in a thread and by the edge."""

    async def work() -> None:
        try:
            fail()
        except LookupError:
            log.error("told in the task", exc_info=1)
            raise

    try:
        await request.app.state.resources.tasks.start("telling", work())
    except LookupError as error:
        await asyncio.to_thread(log.error, "told in a thread", exc_info=error)
        raise


@router.get("/leaving")
async def leaving(request: Request) -> str:
    """Start a task that ends the process, as a library may."""

    async def work() -> None:
        raise SystemExit(3)

    request.app.state.resources.tasks.start("leaving", work())
    return "left"


@router.get("/doomed")
async def doomed(request: Request) -> str:
    async def work() -> None:
        raise LookupError("in the background")

    request.app.state.resources.tasks.start("doomed", work())
    return "started"


@router.get("/exit")
async def leave() -> None:
    raise SystemExit(3)


@router.get("/cancelled")
async def cancelled() -> None:
    inner = asyncio.get_running_loop().create_future()
    inner.cancel()
    await inner


@router.get("/after/{seconds}")
async def after(seconds: float, tasks: BackgroundTasks) -> str:
    tasks.add_task(asyncio.sleep, seconds)
    return "answered"


@router.get("/page")
async def page() -> HTMLResponse:
    return HTMLResponse("<p>ours</p>", headers={"content-security-policy": "default-src 'self'"})


class Account(BaseModel):
    """Shows its password too."""

    password: str


@router.get("/log/{what}")
async def write_log(what: str) -> str:
    hard: dict[str, object] = {
        "big": 2**70,
        "surrogate": "\ud800",
        "keys": {1: 2},
        "bytes": {b"k": 1},
        "tuple": ({"password": "canary-tuple"},),
        "dataclass": Login("canary-tuple"),
        "model": Account(password="canary-tuple"),
    }
    hard["cycle"] = {"password": "canary-tuple", "itself": hard}
    if what == "library":
        logging.getLogger("library").warning("%d", "no number")
        logging.getLogger("library").log(25, "a level of its own")
    elif what == "identity":
        log.info("k", service="fake", level="fake", request_id="fake", logger="fake")
    else:
        log.info(what, value=hard[what], set_cookie="canary-cookie", **{"X-Api-Key": "canary-key"})
    return "logged"


class Breaking:
    """Fails where nobody can catch it."""

    def __del__(self) -> None:
        raise LookupError("nobody catches this")


def fail() -> None:
    raise LookupError("the thread failed")


@router.get("/noise/{what}")
async def noise(what: str) -> str:
    """Make others write: the interpreter, a library, a thread and a future that nobody waits for."""
    if what == "print":
        print("a line of its own")  # noqa: T201 - as third parties do
    elif what == "warning":
        warnings.warn("this is old", stacklevel=1)
    elif what == "thread":
        threading.Thread(target=fail).start()
    elif what == "task":
        asyncio.get_running_loop().create_future().set_exception(LookupError("nobody asked"))
    else:
        Breaking()
    return "heard"


@router.get("/bind")
async def bind() -> str:
    structlog.contextvars.bind_contextvars(user="alice")
    return "bound"


@router.get("/closed")
async def closed() -> None:
    raise WarehouseClosed("The warehouse is closed.")


@router.get("/teapot/{status}")
async def teapot(status: int) -> None:
    raise HTTPException(status, "as asked for", headers={"x-kept": "yes"})


@router.get("/background/{seconds}")
async def background(seconds: float, grace: float, request: Request) -> str:
    async def work() -> None:
        await asyncio.sleep(seconds)
        log.info("background work done")

    resources = request.app.state.resources
    resources.trials.inc()
    resources.tasks.start("trial", work(), grace=grace)
    return "started"


async def ask_partner(request: Request, method: str = "GET", *, safe: bool = False) -> int:
    resources = request.app.state.resources
    extensions = {"safe_to_repeat": safe}
    return (await resources.http.request(method, str(resources.settings.partner_url), extensions=extensions)).status_code


def no_key(_: object) -> None:
    raise LookupError("there is no key to sign with")


@router.get("/wrong-call/{how}")
async def wrong_call(how: str, request: Request) -> None:
    """Call the partner as no call can be made."""
    resources = request.app.state.resources
    if how == "relative":
        await resources.http.get("/orders")
    await resources.http.get(str(resources.settings.partner_url), auth=no_key)


@router.get("/streams/{count}")
async def streams(count: int, request: Request) -> int:
    """Hold answers of the partner open, and ask somebody else meanwhile."""
    resources = request.app.state.resources
    async with AsyncExitStack() as stack:
        for _ in range(count):
            await stack.enter_async_context(resources.http.stream("GET", str(resources.settings.partner_url)))
        return (await resources.http.get(str(resources.settings.note_review_url))).status_code


@router.get("/call/{method}")
async def call(method: str, request: Request, safe: bool = False) -> int:  # noqa: FBT001, FBT002 - a query parameter
    return await ask_partner(request, method, safe=safe)


@router.get("/call-later/{how}/{seconds}")
async def call_later(how: str, seconds: float, request: Request, after: BackgroundTasks) -> str:
    async def work() -> None:
        await asyncio.sleep(seconds)
        log.info("called later", status=await ask_partner(request))

    if how == "supervised":
        request.app.state.resources.tasks.start("later", work())
    elif how == "alone":
        contextvars.Context().run(request.app.state.resources.tasks.start, "alone", work())
    else:
        after.add_task(work)
    return "answered"


@router.get("/stream/{chunks}")
async def stream(chunks: int) -> StreamingResponse:
    async def produce():
        for _ in range(chunks):
            await asyncio.sleep(0.1)
            yield b"."

    return StreamingResponse(produce())


@router.post("/upload")
async def upload(file: UploadFile) -> int:
    return len(await file.read())


@router.post("/any")
async def any_json(content: Annotated[object, Body()]) -> object:
    return content

"""Endpoints that are slow, fail, hang or work in the background."""

import asyncio
import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Body, HTTPException, Request, UploadFile
from fastapi.responses import StreamingResponse

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


@router.get("/block/{seconds}")
async def block(seconds: float) -> str:
    time.sleep(seconds)  # noqa: ASYNC251 - this is the fault that liveness has to find
    return "done"


@router.get("/bug")
async def bug(request: Request) -> None:
    token = request.app.state.resources.settings.pay_token
    log.info("about to fail", pay_token=token, nested={"Password": token.get_secret_value()})
    raise LookupError("an-internal-name")


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

"""Errors as RFC 9457 problem details: one shape for whatever goes wrong between a request and its answer."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from http.client import responses
from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from .errors import Kind, ServiceError
from .request_id import REQUEST_ID

is_json = re.compile(r"\s*application/([^;]+\+)?json\s*(;|$)", re.IGNORECASE).match  # a media type
log = structlog.get_logger(__name__)


class Problem(BaseModel):
    """The body of every error, ``application/problem+json``; ``errors`` says what is wrong with which field."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[dict[str, str]] = []


def problem(
    path: str, status: int, detail: str, *, code: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """Build the answer; ``code`` is the stable code of an expected error, without one the status says it all."""
    title = code.replace("_", " ").capitalize() or responses.get(status, "Error")
    body = {"type": f"urn:problem:{code}" if code else "about:blank", "title": title, "status": status}
    body |= {"detail": detail, "instance": path, "request_id": REQUEST_ID.get(), **more}
    retry = {"retry-after": "1"} if status == Kind.UNAVAILABLE else {}
    return JSONResponse(body, status, retry | dict(headers or {}), media_type="application/problem+json")


async def on_expected_error(request: Request, error: Any) -> Response:
    expected = isinstance(error, ServiceError)
    status = int(error.kind) if expected else error.status_code
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request refused by an error", status=status, exc_info=error)
    if expected:
        return problem(request.url.path, status, str(error), code=error.code)
    detail = error.detail if isinstance(error.detail, str) else json.dumps(error.detail, default=str)
    return problem(request.url.path, status, detail, headers=error.headers)


async def on_invalid_request(request: Request, error: Any) -> Response:
    wrong = error.errors()
    if any(one["loc"] == ("body",) for one in wrong) and not is_json(request.headers.get("content-type", "")):
        return problem(request.url.path, 415, "The body must be JSON, sent as application/json.")
    fields = [{"field": ".".join(map(str, one["loc"])), "message": one["msg"]} for one in wrong]
    return problem(request.url.path, 422, "The request is not valid.", code="invalid_request", errors=fields)


async def on_unexpected_error(request: Request, error: Exception) -> Response:
    if isinstance(error, (ServiceError, HTTPException)):  # raised by a middleware, outside of the framework's handling
        return await on_expected_error(request, error)
    return problem(request.url.path, 500, "Something went wrong on our side.")  # the edge logs it, once


HANDLERS: dict[Any, Any] = {ServiceError: on_expected_error, HTTPException: on_expected_error}
HANDLERS |= {RequestValidationError: on_invalid_request, Exception: on_unexpected_error}

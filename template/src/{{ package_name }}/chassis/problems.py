"""Errors as RFC 9457 problem details: one shape for whatever goes wrong between a request and its answer."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from .errors import Kind, ServiceError
from .request_id import REQUEST_ID

log = structlog.get_logger(__name__)

STATUS_OF_KIND = {
    Kind.INVALID: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}


class FieldProblem(BaseModel):
    """What is wrong with one field of the request."""

    field: str
    message: str


class Problem(BaseModel):
    """The body of every error (``application/problem+json``)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: list[FieldProblem] | None = None


def problem_response(  # noqa: PLR0913 - the members of a problem, each by its name
    path: str,
    status: int,
    detail: str,
    *,
    code: str = "",
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build the answer.

    Args:
        code: the stable code of an expected error; the status alone says it when empty.
        errors: what is wrong with which field.
    """
    problem = Problem(
        type=f"urn:problem:{code}" if code else "about:blank",
        title=code.replace("_", " ").capitalize() if code else HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=path,
        request_id=REQUEST_ID.get(),
        errors=list(errors) if errors else None,
    )
    body = problem.model_dump(exclude_none=True)
    return JSONResponse(body, status, headers, media_type="application/problem+json")


async def on_service_error(request: Request, error: Any) -> Response:
    status = STATUS_OF_KIND[error.kind]
    log_server_error(status, error)
    headers = {"retry-after": "1"} if error.kind is Kind.UNAVAILABLE else None
    return problem_response(request.url.path, status, str(error), code=error.code, headers=headers)


async def on_http_error(request: Request, error: Any) -> Response:
    log_server_error(error.status_code, error)
    return problem_response(request.url.path, error.status_code, str(error.detail), headers=error.headers)


async def on_invalid_request(request: Request, error: Any) -> Response:
    details = error.errors()
    if any(detail["loc"] == ("body",) for detail in details) and not is_json(request.headers.get("content-type", "")):
        return problem_response(request.url.path, 415, "The body must be JSON, sent as application/json.")
    fields = [
        FieldProblem(field=".".join(str(part) for part in detail["loc"]), message=detail["msg"]) for detail in details
    ]
    return problem_response(request.url.path, 422, "The request is not valid.", code="invalid_request", errors=fields)


async def on_unexpected_error(request: Request, _: Exception) -> Response:
    # The edge logs it, once; whoever asked learns the request id and nothing of the inside.
    return problem_response(request.url.path, 500, "Something went wrong on our side.")


def log_server_error(status: int, error: Exception) -> None:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request refused by an error", status=status, exc_info=error)


def is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def answer_with_problems(app: FastAPI) -> None:
    """Give every error of the application the same shape."""
    app.add_exception_handler(ServiceError, on_service_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(Exception, on_unexpected_error)

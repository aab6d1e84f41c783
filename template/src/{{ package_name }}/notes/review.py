"""Asks another service whether a note may be kept: an example of an outbound call."""

from dataclasses import dataclass

import httpx2
from pydantic import BaseModel, ValidationError

from ..chassis.http_client import SAFE_TO_REPEAT, DependencyUnavailable, HttpClient
from .service import NewNote


class Verdict(BaseModel):
    """What the other service answers."""

    accepted: bool


@dataclass(frozen=True)
class HttpReview:
    """A Review behind an address that takes the note as JSON."""

    http: HttpClient
    url: str

    async def accepts(self, new: NewNote) -> bool:
        """Raises DependencyUnavailable when there is no verdict: a note is not kept unseen."""
        try:
            answer = await self.http.post(self.url, json=new.model_dump(), extensions=SAFE_TO_REPEAT)
            return Verdict.model_validate_json(answer.raise_for_status().content).accepted
        except (httpx2.HTTPStatusError, ValidationError) as error:
            raise DependencyUnavailable("The review gives no verdict at the moment.") from error

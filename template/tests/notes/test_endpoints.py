from base64 import b64encode
from uuid import UUID

import pytest
from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio
NOTES = "/api/v1/notes"
EARLIEST = b64encode(f"0001-01-01T00:00:00+23:59 {UUID(int=0)}".encode()).decode()  # no UTC date is so early


async def test_a_note_is_created_found_listed_and_deleted(client: AsyncClient) -> None:
    created = await client.post(NOTES, json={"title": "milk", "text": "two bottles"})
    assert created.status_code == 201
    where = created.headers["location"]
    assert (await client.get(where)).json() == created.json()
    assert (await client.get(NOTES)).json() == {"items": [created.json()], "next_cursor": None}
    assert (await client.delete(where)).status_code == 204
    assert (await client.get(where)).status_code == 404


async def test_the_cursor_leads_through_all_pages(client: AsyncClient) -> None:
    for number in range(5):
        await client.post(NOTES, json={"title": str(number)})
    titles: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await client.get(NOTES, params={"limit": 2, "cursor": cursor})).json()
        titles += [note["title"] for note in page["items"]]
        cursor = page["next_cursor"]
    assert titles == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("cursor", ["x", "bm9uc2Vuc2U=", "MjAyNi0wMS0wMSB4", EARLIEST])
async def test_a_made_up_cursor_is_refused(client: AsyncClient, cursor: str) -> None:
    answer = await client.get(NOTES, params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:problem:invalid_cursor"


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": "x" * 201}, {"title": "x", "text": 1}])
async def test_an_invalid_note_is_refused_with_the_field(client: AsyncClient, body: dict[str, object]) -> None:
    answer = await client.post(NOTES, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("body.t")

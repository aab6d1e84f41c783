from typing import Protocol

import pytest

pytestmark = pytest.mark.anyio
ADMIN = 42


class Chat(Protocol):
    """As the fixture has it."""

    async def say(self, text: str, user: int = 1) -> list[str]: ...


async def test_a_note_is_asked_for_step_by_step(chat: Chat) -> None:
    assert await chat.say("/note") == ["What is its title?"]
    assert await chat.say("milk") == ["And its text?"]
    [answer] = await chat.say("two bottles")
    assert answer.startswith("Noted: milk (")
    assert await chat.say("and now?") == []


async def test_two_people_do_not_get_in_each_others_way(chat: Chat) -> None:
    await chat.say("/note", user=1)
    await chat.say("/note", user=2)
    await chat.say("one", user=1)
    await chat.say("two", user=2)
    assert "Noted: one" in (await chat.say("x", user=1))[0]
    assert "Noted: two" in (await chat.say("x", user=2))[0]


@pytest.mark.parametrize("leave", ["/cancel", "/start"])
async def test_a_conversation_can_be_left(chat: Chat, leave: str) -> None:
    await chat.say("/note")
    assert await chat.say(leave)
    assert await chat.say("milk") == []


async def test_help_names_the_commands(chat: Chat) -> None:
    [answer] = await chat.say("/help")
    assert "/note" in answer


async def test_a_title_that_cannot_be_kept_is_asked_for_again(chat: Chat) -> None:
    await chat.say("/note")
    [answer] = await chat.say("x" * 201)
    assert "The title cannot be kept" in answer
    assert await chat.say("milk") == ["And its text?"]


async def test_only_administrators_can_forget_a_note(chat: Chat) -> None:
    await chat.say("/note")
    await chat.say("milk")
    [answer] = await chat.say("two bottles")
    note_id = answer.rpartition("(")[2].rstrip(")")
    assert await chat.say(f"/forget {note_id}") == []
    assert await chat.say(f"/forget {note_id}", user=ADMIN) == ["Forgotten."]
    assert "no note with this id" in (await chat.say(f"/forget {note_id}", user=ADMIN))[0]
    assert "comes the id" in (await chat.say("/forget it", user=ADMIN))[0]

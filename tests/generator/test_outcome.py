"""How a command ends that a person stops."""

import pytest

from new_service import check

from .conftest import NewService


def test_a_command_that_is_stopped_says_so(new_service: NewService, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "read_recorded", stopped)
    outcome = new_service("check")
    assert (outcome.code, outcome.err) == (130, "error: stopped\n")

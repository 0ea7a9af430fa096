from __future__ import annotations

import pytest

from toughopt.errors import JournalError
from toughopt.journal import codec


def test_an_event_of_a_newer_version_says_so() -> None:
    with pytest.raises(JournalError, match="newer toughopt"):
        codec.decode("noted", 99, "{}")
    with pytest.raises(JournalError, match="newer toughopt"):
        codec.decode("invented", 1, "{}")


def test_a_damaged_payload_says_so() -> None:
    with pytest.raises(JournalError, match="damaged"):
        codec.decode("noted", 1, '{"who": ')

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.errors import JournalError
from toughopt.journal import codec
from toughopt.journal import events as ev


def test_an_event_of_a_newer_version_says_so() -> None:
    with pytest.raises(JournalError, match="newer toughopt"):
        codec.decode("noted", 99, "{}")
    with pytest.raises(JournalError, match="newer toughopt"):
        codec.decode("invented", 1, "{}")


def test_a_damaged_payload_says_so() -> None:
    with pytest.raises(JournalError, match="damaged"):
        codec.decode("noted", 1, '{"who": ')


def test_numbers_come_back_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    for value in rng.integers(0, 2**63, 2000, dtype=np.uint64).view(np.float64):
        if np.isfinite(value):
            text = codec.encode(ev.Complete(value=float(value)))
            assert codec.decode("complete", 1, text)["value"] == float(value)


_LEAF = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text())
_AWKWARD = st.sampled_from(['},"retry_of":', ',"decision":{', '"', "\\", '\\"},"retry_of":7'])
_DECISIONS = st.recursive(
    st.dictionaries(st.one_of(st.text(max_size=8), _AWKWARD), st.one_of(_LEAF, _AWKWARD), max_size=4),
    lambda inner: st.dictionaries(
        st.one_of(st.sampled_from(["decision", "retry_of", "x"]), _AWKWARD), inner, max_size=3
    ),
    max_leaves=8,
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(
    decision=st.one_of(st.none(), _DECISIONS), name=st.one_of(st.text(), _AWKWARD), note=st.one_of(st.text(), _AWKWARD)
)
def test_a_decision_left_for_later_is_the_one_that_was_written(
    decision: dict[str, Any] | None, name: str, note: str
) -> None:
    written = ev.Proposed(design={name: 1.5, "decision": note}, source="policy", decision=decision, note=note)
    row = (1, "now", "proposed", 1, written.version, codec.encode(written))
    (event,) = codec.decode_rows([row])
    assert event.payload == written.model_dump(mode="json")
    assert codec.checked("proposed", event.payload) == written


def test_a_damaged_decision_says_so() -> None:
    text = codec.encode(ev.Proposed(design={"n": 6}, source="policy", decision={"policy": "default"}))
    row = (1, "now", "proposed", 1, ev.Proposed.version, text.replace('"default"', '"default'))
    with pytest.raises(JournalError, match="damaged"):
        (event,) = codec.decode_rows([row])
        event.payload["decision"]["policy"]

"""Fixed data for figures: a lab's journal made by hand, without a random number or a clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from toughopt.journal import Event, Payload, State, fold
from toughopt.journal import events as ev

_BEGUN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_CONFIG = {"name": "fixed", "objective": {"name": "toughness_j", "goal": "max"}}


def lab_events(count: int) -> Iterator[Event]:
    """Two printers and a press on `count` designs: every seventh fails, every ninth is too strong, one is left out."""
    seq = 0

    def event(minutes: float, payload: Payload, identity: int | None) -> Event:
        nonlocal seq
        seq += 1
        time_utc = (_BEGUN + timedelta(minutes=minutes)).isoformat()
        return Event(seq, time_utc, payload.kind, identity, payload.model_dump())

    yield event(0, ev.CampaignCreated(config_toml="", config=_CONFIG, versions={}), None)
    for i in range(1, count + 1):
        printer, at = f"printer-{1 + i % 2}", 30.0 * i
        design: ev.Design = {
            "n": 6 + 2 * (i % 4),
            "theta": (37.0 * i) % 200,
            "r": 1.5 + (0.13 * i) % 1,
            "t": 0.7 + (0.11 * i) % 0.7,
        }
        value = 10.0 + 12.0 * float(design["t"]) + 6.0 * math.sin(float(design["theta"]) / 40.0) + 0.15 * i
        mean, std = [value + 3.0 * math.sin(1.7 * i)], [2.0 + math.cos(i)]
        decision = {"predicted_mean": mean if i > 5 else [None], "predicted_std": std if i > 5 else [None]}
        yield event(at, ev.Proposed(design=design, source="policy", decision=decision), i)
        mass_g = 3.0 + 0.02 * i
        yield event(at + 1, ev.Built(mesh="m", mass_g=mass_g, volume_mm3=2500.0), i)
        sliced = ev.Sliced(
            program="p",
            slicer="native",
            profile="virtual",
            layers=100,
            lines=9000,
            time_s=1500.0,
            filament_mm=1000.0 * mass_g / 2.98,
            filament_g=mass_g,
        )
        yield event(at + 2, sliced, i)
        yield event(at + 2, ev.Queued(printer=printer), i)
        yield event(at + 3, ev.Printing(printer=printer, program="p"), i)
        if i % 7 == 0:
            yield event(at + 20, ev.Failed(stage="printing", reason="came off the bed", blame="lab"), i)
            continue
        yield event(at + 28, ev.Printed(printer=printer, duration_s=1500.0, lines_sent=9000), i)
        yield event(at + 31, ev.Cleared(printer=printer, by="hands"), i)
        yield event(at + 33, ev.Weighed(mass_g=mass_g * (1.0 + 0.03 * math.sin(2.1 * i)), by="scale"), i)
        yield event(at + 40, ev.Tested(curve="c", file_name="c.csv", by="press"), i)
        result = {"toughness_j": value, "contact_mm": 0.5}
        yield event(at + 41, ev.Complete(value=value, censored=i % 9 == 0, result=result), i)
        if i == 5:
            yield event(at + 42, ev.Excluded(who="anna", why="tilted"), i)


@pytest.fixture(scope="session")
def lab_state() -> State:
    """The state after twenty-four of them."""
    return fold(lab_events(24))

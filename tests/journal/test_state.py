from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.errors import JournalError
from toughopt.journal import Event, SqlStore, Stage, State, codec, fold
from toughopt.journal import events as ev
from toughopt.journal.experiment import NEXT

Life = list[tuple[ev.Payload, int | None]]


def as_events(payloads: Life, first: int = 1) -> list[Event]:
    return [
        Event(first + i, f"2026-01-01T00:00:{i:02d}", p.kind, e, codec.decode(p.kind, p.version, codec.encode(p)))
        for i, (p, e) in enumerate(payloads)
    ]


def test_an_experiment_that_went_well_is_complete_with_all_its_figures(store: SqlStore, whole_life: Life) -> None:
    store.append_all(whole_life)
    state = fold(store.read())
    experiment = state.experiments[1]
    assert experiment.stage is Stage.COMPLETE
    assert (experiment.value, experiment.mass_g, experiment.printer) == (4.5, 1.19, "p1")
    assert state.best is experiment
    assert state.counted() == 1
    assert not state.beds


def test_folding_in_pieces_equals_folding_at_once(store: SqlStore, whole_life: Life) -> None:
    store.append_all(whole_life)
    piecewise = State()
    for seq in range(store.last_seq()):
        fold(store.read(after=seq, until=seq + 1), piecewise)
    assert piecewise == fold(store.read())


@settings(deadline=None, derandomize=True, max_examples=60)
@given(kinds=st.lists(st.sampled_from(["built", "sliced", "queued", "printing", "printed", "cleared", "tested"])))
def test_stages_are_only_ever_passed_in_an_allowed_order(kinds: list[str]) -> None:
    sha = "ab" * 32
    samples: dict[str, ev.Payload] = {
        "built": ev.Built(mesh=sha, volume_mm3=1.0, mass_g=1.0),
        "sliced": ev.Sliced(
            program=sha, slicer="s", profile="p", layers=1, lines=1, time_s=1.0, filament_mm=1.0, filament_g=1.0
        ),
        "queued": ev.Queued(printer="p"),
        "printing": ev.Printing(printer="p", program=sha),
        "printed": ev.Printed(printer="p", duration_s=1.0, lines_sent=1),
        "cleared": ev.Cleared(printer="p", by="h"),
        "tested": ev.Tested(curve=sha, file_name="f", by="f"),
    }
    state = fold(as_events([(ev.Proposed(design={"n": 6}, source="policy"), 1)]))
    for i, kind in enumerate(kinds):
        before = state.experiments[1].stage
        (event,) = as_events([(samples[kind], 1)], first=i + 2)
        if Stage(kind) in NEXT[before]:
            state.apply(event)
            assert state.experiments[1].stage is Stage(kind)
        else:
            with pytest.raises(JournalError, match="cannot go from"):
                state.apply(event)
            assert state.experiments[1].stage is before


def test_what_the_lab_failed_does_not_count_against_the_budget_and_is_not_learned(store: SqlStore) -> None:
    for identity, blame in ((1, "lab"), (2, "design")):
        store.append(ev.Proposed(design={"n": 6}, source="policy"), identity)
        store.append(ev.Failed(stage="printing", reason="why", blame=blame), identity)  # type: ignore[arg-type]
    state = fold(store.read())
    assert state.counted() == 1
    assert [e.id for e in state.learned] == [2]


def test_an_excluded_experiment_is_neither_best_nor_learned_until_restored(store: SqlStore, whole_life: Life) -> None:
    store.append_all(whole_life)
    store.append(ev.Excluded(who="me", why="cracked before the test"), 1)
    state = fold(store.read())
    assert state.best is None
    assert state.learned == []
    store.append(ev.Restored(who="me", why="it was another one"), 1)
    assert [e.id for e in fold(store.read()).learned] == [1]


def test_a_correction_changes_the_view_and_leaves_the_history(store: SqlStore, whole_life: Life) -> None:
    store.append_all(whole_life)
    store.append(ev.Corrected(who="me", why="typed wrongly", value=5.0, mass_g=1.3), 1)
    state = fold(store.read())
    assert (state.experiments[1].value, state.experiments[1].mass_g) == (5.0, 1.3)
    assert [e.payload["value"] for e in store.read() if e.kind == "complete"] == [4.5]


def test_results_are_in_the_order_in_which_they_became_known(store: SqlStore) -> None:
    for identity in (1, 2, 3):
        store.append(ev.Proposed(design={"n": 6}, source="policy"), identity)
    for identity in (3, 1, 2):
        store.append(ev.Complete(value=float(identity)), identity)
    state = fold(store.read())
    assert [e.id for e in state.learned] == [3, 1, 2]


def test_the_best_follows_the_goal() -> None:
    config = ev.CampaignCreated(config_toml="", config={"objective": {"goal": "min"}}, versions={})
    life: Life = [(config, None)]
    for identity, value in ((1, 3.0), (2, 1.0), (3, 2.0)):
        life += [(ev.Proposed(design={"n": 6}, source="policy"), identity), (ev.Complete(value=value), identity)]
    best = fold(as_events(life)).best
    assert best is not None and best.id == 2


def test_a_part_lies_on_the_bed_from_the_first_line_until_somebody_clears_it(store: SqlStore, whole_life: Life) -> None:
    store.append_all(whole_life[:5])
    assert fold(store.read()).beds == {"p1": 1}
    store.append(ev.Failed(stage="printing", reason="jam", blame="lab"), 1)
    assert fold(store.read()).beds == {"p1": 1}
    store.append(ev.BedCleared(printer="p1", by="me"))
    assert fold(store.read()).beds == {}


def test_an_experiment_cannot_be_proposed_twice_nor_moved_before_it_is() -> None:
    proposed = (ev.Proposed(design={"n": 6}, source="policy"), 1)
    with pytest.raises(JournalError, match="proposed twice"):
        fold(as_events([proposed, proposed]))
    with pytest.raises(JournalError, match="no experiment 7"):
        fold(as_events([(ev.Queued(printer="p"), 7)]))

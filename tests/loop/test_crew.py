from __future__ import annotations

import threading
from collections.abc import Callable

from toughopt.loop.crew import SimulatedCrew, ThreadCrew
from toughopt.virtual.clock import VirtualClock

WAIT_S = 30.0


def run_to_the_end(crew: SimulatedCrew) -> None:
    while (action := crew.next(0.0)) is not None:
        action()


def test_threads_hand_results_back_to_the_thread_that_asks_for_the_next_thing() -> None:
    crew, seen = ThreadCrew(), []
    crew.start("somebody", threading.get_ident, lambda future: seen.append((future.result(), threading.get_ident())))
    action = crew.next(WAIT_S)
    assert action is not None
    action()
    ((worker, here),) = seen
    assert here == threading.get_ident() != worker
    assert crew.next(0.0) is None
    crew.dismiss()


def test_simulated_work_ends_in_the_order_of_the_virtual_clock_however_long_it_takes_to_work_out() -> None:
    clock = VirtualClock()
    crew, ended, first_is_done = SimulatedCrew(clock), [], threading.Event()

    def long_but_quickly_worked_out() -> None:
        clock.spend(100.0)
        first_is_done.set()

    def short_but_slowly_worked_out() -> None:
        assert first_is_done.wait(WAIT_S)
        clock.spend(10.0)

    def note(name: str) -> Callable[[object], None]:
        return lambda future: ended.append((name, clock.now_s))

    crew.start("a", long_but_quickly_worked_out, note("long"))
    crew.start("b", short_but_slowly_worked_out, note("short"))
    run_to_the_end(crew)
    crew.dismiss()
    assert ended == [("short", 10.0), ("long", 100.0)]


def test_the_clock_goes_on_while_work_that_is_sure_to_take_longer_is_being_worked_out() -> None:
    clock, release = VirtualClock(), threading.Event()
    crew, ended = SimulatedCrew(clock), []

    def print_it() -> None:
        assert release.wait(WAIT_S)
        clock.spend(1000.0)

    crew.start("printer", print_it, lambda future: ended.append(("printed", clock.now_s)), at_least_s=900.0)
    crew.start("hands", lambda: clock.spend(30.0), lambda future: ended.append(("cleared", clock.now_s)))
    action = crew.next(0.0)  # does not wait for the print, which is still being worked out
    assert action is not None
    action()
    assert ended == [("cleared", 30.0)]
    release.set()
    run_to_the_end(crew)
    crew.dismiss()
    assert ended == [("cleared", 30.0), ("printed", 1000.0)]


def test_what_simulated_work_raises_comes_with_its_result_at_its_time() -> None:
    clock = VirtualClock()
    crew, errors = SimulatedCrew(clock), []

    def jam() -> None:
        clock.spend(5.0)
        raise ValueError("jammed")

    crew.start("printer", jam, lambda future: errors.append((str(future.exception()), clock.now_s)))
    run_to_the_end(crew)
    crew.dismiss()
    assert errors == [("jammed", 5.0)]


def test_what_comes_from_outside_goes_first() -> None:
    clock = VirtualClock()
    crew, order = SimulatedCrew(clock), []
    crew.start("hands", lambda: clock.spend(1.0), lambda future: order.append("hands"))
    crew.later(lambda: order.append("outside"))
    run_to_the_end(crew)
    crew.dismiss()
    assert order == ["outside", "hands"]

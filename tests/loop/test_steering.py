"""What people ask of a campaign, asked while nobody conducts it: answered at once, by whoever asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from toughopt import Campaign
from toughopt.errors import ConfigError, DeviceError, InputError
from toughopt.journal import Event, Stage, State
from toughopt.loop.requests import VERBS
from toughopt.loop.steering import in_words


@pytest.fixture
def campaign(small: Path) -> Iterator[Campaign]:
    with Campaign.open(small) as opened:
        yield opened


@pytest.fixture
def told(campaign: Campaign) -> Campaign:
    """A campaign of five designs told by hand: heavier is tougher."""
    for entry in campaign.suggest(5):
        campaign.tell(entry["id"], value=float(entry["design"]["n"]), mass_g=1.0)
    return campaign


@pytest.mark.parametrize(
    ("verb", "arguments", "key", "value"),
    [
        ("pause", {}, "paused", "after the task in hand"),
        ("pause", {"now": True}, "paused", "now"),
        ("drain", {}, "paused", "after the specimens in hand"),
        ("resume", {}, "paused", None),
        ("budget", {"budget": "40"}, "budget", 40),
        ("target", {"target": "33.5"}, "target", 33.5),
        ("target", {"target": "none"}, "target", None),
        ("disable", {"printer": "printer-1"}, "disabled:printer-1", True),
        ("enable", {"printer": "printer-1"}, "disabled:printer-1", None),
        ("filament", {"printer": "printer-1", "grams": "750"}, "filament:printer-1", 750.0),
        ("keep-clear", {}, "keep_clear", "because"),
        ("keep-clear", {"state": "off"}, "keep_clear", None),
        ("policy", {"policy": "random"}, "policy", "random"),
        ("policy", {"policy": "ucb", "printer": "printer-1"}, "policy:printer-1", "ucb"),
        ("limits", {"parameter": "theta", "low": "20", "high": "80"}, "high:theta", 80.0),
        ("limits", {"parameter": "theta", "low": "none"}, "low:theta", None),
        ("printability", {"probability": "0.7"}, "printability", 0.7),
    ],
)
def test_what_is_steered_is_in_the_state_with_who_and_why(
    campaign: Campaign, verb: str, arguments: dict[str, Any], key: str, value: object
) -> None:
    campaign.request(verb, arguments, why="because", who="Ada")
    assert campaign.state.steering[key] == value
    steered = [e.payload for e in campaign.workspace.store.read() if e.kind == "steered" and e.payload["key"] == key]
    assert steered and (steered[-1]["who"], steered[-1]["why"]) == ("Ada", "because")


@pytest.mark.parametrize(
    ("verb", "arguments", "complaint"),
    [
        ("budget", {"budget": "-3"}, "-3 is not a budget"),
        ("budget", {}, "a budget of experiments is missing"),
        ("limits", {"parameter": "theta", "low": "0"}, "an upper limit is missing"),
        ("target", {"target": "much"}, "'much'"),
        ("disable", {"printer": "printer-7"}, "printer-7.*did you mean printer-1"),
        ("bed-cleared", {"printer": "printer-1"}, "nothing is known to lie"),
        ("filament", {"printer": "printer-1", "grams": "0"}, "positive"),
        ("policy", {"policy": "defualt"}, "did you mean default"),
        ("limits", {"parameter": "thta", "low": "1", "high": "2"}, "did you mean theta"),
        ("limits", {"parameter": "theta", "low": "80", "high": "20"}, "80, is above the upper one, 20"),
        ("limits", {"parameter": "n", "low": "7", "high": "7.5"}, "7 to 7.5 leaves no value of n"),
        ("limits", {"parameter": "theta", "low": "50", "high": "50"}, "50 to 50 leaves no value of theta, or hardly"),
        ("limits", {"parameter": "theta", "low": "0", "high": "2000"}, "is not within 0 to"),
        ("printability", {"probability": "1.5"}, "1.5 is not a probability"),
        ("reprint", {"id": "99"}, "99"),
        ("mass", {"id": "x"}, "x"),
        ("curve", {"id": "1", "curve": "0" * 64}, "there is no experiment"),
        ("exclude", {"id": "\N{SUPERSCRIPT TWO}"}, "there is no experiment"),
        ("dance", {}, "dance"),
    ],
)
def test_what_cannot_be_is_refused_with_the_value_and_changes_nothing(
    campaign: Campaign, verb: str, arguments: dict[str, Any], complaint: str
) -> None:
    before = dict(campaign.state.steering)
    with pytest.raises(InputError, match=complaint):
        campaign.request(verb, arguments)
    assert campaign.state.steering == before


def test_a_curve_is_replaced_by_a_file_and_not_by_none(told: Campaign) -> None:
    with pytest.raises(InputError, match="file is missing"):
        told.request("curve", {"id": 1})


def test_a_mistake_in_an_answer_is_an_answer(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setitem(VERBS, "note", broken)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a mistake in the program"):
        campaign.request("note", {}, why="x")
    assert campaign.request("budget", {"budget": 7})["ok"], "a request without an answer would end this one too"
    (fault,) = [e for e in campaign.workspace.store.read() if e.kind == "fault"]
    assert "ZeroDivisionError" in fault.payload["data"]["traceback"]


def test_limits_and_policy_steer_the_next_designs(told: Campaign) -> None:
    told.request("limits", {"parameter": "theta", "low": 20, "high": 40})
    assert all(20 <= entry["design"]["theta"] <= 40 for entry in told.suggest(4))
    told.request("policy", {"policy": "random"})
    identity = told.suggest(1)[0]["id"]
    decision = told.state.experiments[identity].decision
    assert decision is not None and decision["policy"] == "random"
    assert 20 <= told.state.experiments[identity].design["theta"] <= 40


def test_a_parameter_that_goes_in_steps_can_be_held_at_one_of_them(told: Campaign) -> None:
    told.request("limits", {"parameter": "n", "low": 8, "high": 8})
    assert {entry["design"]["n"] for entry in told.suggest(3)} == {8}


@pytest.mark.skipif(find_spec("botorch") is not None, reason="needs a computer without BoTorch")
def test_a_policy_whose_model_is_not_installed_is_refused_before_anything_is_printed(campaign: Campaign) -> None:
    with pytest.raises(InputError, match=r"pip install 'toughopt\[botorch\]'"):
        campaign.request("policy", {"policy": "botorch"})
    path = campaign.folder / "campaign.toml"
    path.write_text(path.read_text().replace('policy = "default"', 'policy = "botorch"'), encoding="utf-8")
    with Campaign.open(campaign.folder) as edited, pytest.raises(ConfigError, match=r"line \d+: .*BoTorch"):
        edited.workspace.check()


def test_steered_decisions_replay_without_a_difference(told: Campaign) -> None:
    from toughopt.replay import replay

    told.request("limits", {"parameter": "r", "low": 1.6, "high": 1.9})
    told.suggest(1)
    told.request("policy", {"policy": "max_variance"})
    told.suggest(1)
    told.request("limits", {"parameter": "r", "low": "none"})
    told.suggest(2)
    found = replay(told.workspace)
    assert found.decisions == 4
    assert found.differences == ()


def test_a_reprint_is_another_experiment_of_the_same_design(told: Campaign) -> None:
    answer = told.request("reprint", {"id": 2}, why="looked odd")
    assert "no loop runs: `toughopt run" in answer["message"]
    identity = answer["result"]["id"]
    again = told.state.experiments[identity]
    assert again.design == told.state.experiments[2].design
    assert again.stage is Stage.PROPOSED and "looked odd" in again.notes[0]


def test_a_mass_typed_in_later_is_a_correction(told: Campaign) -> None:
    told.request("mass", {"id": 3, "mass_g": "4.25"}, who="Ada", why="scale was off")
    experiment = told.state.experiments[3]
    assert experiment.mass_g == 4.25 and "corrected by Ada: scale was off" in experiment.notes
    assert [e.kind for e in told.workspace.store.read() if e.experiment_id == 3].count("complete") == 1


def test_a_wrong_curve_is_replaced_and_measured_again(campaign: Campaign, tmp_path: Path) -> None:
    def file(peak_n: float) -> Path:
        rows = "".join(f"{0.01 * i:.4f},{min(peak_n, 10.0 * i):.3f}\n" for i in range(400))
        path = tmp_path / f"{peak_n:g}.csv"
        path.write_text("Displacement (mm),Force (N)\n" + rows, encoding="utf-8")
        return path

    identity = campaign.suggest(1)[0]["id"]
    first = campaign.tell(identity, curve=file(800.0))
    answer = campaign.request("curve", {"id": identity, **campaign.keep_file(file(1600.0))}, why="wrong file")
    assert answer["result"]["value"] > 1.5 * first
    assert campaign.state.experiments[identity].value == answer["result"]["value"]


def test_every_verb_has_a_way_on_the_command_line() -> None:
    from toughopt.cli.steer import _OF_THEIR_OWN, _WORDS

    assert set(VERBS) == {*_OF_THEIR_OWN, *_WORDS}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["limits", "theta", "10", "90"], 0, "theta is chosen from 10 to 90"),
        (["limits", "theta", "none"], 0, "free within"),
        (["policy", "ucb"], 0, "ucb chooses"),
        (["budget"], 2, "budget BUDGET is how it is used, not with 0 words"),
        (["pause", "3"], 2, "not with 1 word\n"),
        (["fail", "3", "--blame", "lab"], 2, "fail is a command of its own: `toughopt fail "),
        (["mass", "one", "3"], 2, "'one' is not the number"),
        (["curve", "1", "no-such-file.csv"], 2, "no-such-file.csv cannot be read"),
        (["frobnicate"], 2, "there is no command called"),
    ],
)
def test_ctl_on_the_command_line(
    campaign: Campaign, words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from toughopt.cli import main

    assert main(["ctl", str(campaign.folder), *words]) == code
    captured = capsys.readouterr()
    assert said in captured.out + captured.err


def test_a_loop_is_steered_while_campaign_toml_is_being_edited(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    from toughopt.cli import main

    path = campaign.folder / "campaign.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("budget = 5", "budget = "), encoding="utf-8")
    assert main(["ctl", str(campaign.folder), "pause"]) == 2
    assert "campaign.toml" in capsys.readouterr().err and "paused" not in campaign.state.steering

    def from_a_terminal() -> None:
        codes.append(main(["ctl", str(campaign.folder), "pause", "--now"]))
        main(["ctl", str(campaign.folder), "stop"])

    def see(event: Event, state: State) -> None:
        if event.kind == "conductor_started":
            threading.Thread(target=from_a_terminal).start()

    codes: list[int] = []
    campaign.run(on_event=see)
    assert codes == [0]
    assert campaign.state.steering["paused"] == "now"
    assert campaign.state.config["budget"] == 5
    assert "goes on as it began" in capsys.readouterr().err


def test_a_list_of_designs_is_added(campaign: Campaign, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from toughopt.cli import main

    table = tmp_path / "wanted.csv"
    table.write_text("n,theta,r,t\n6,20,1.8,0.8\n8,40,1.6,0.8\n", encoding="utf-8")
    assert main(["add", str(campaign.folder), "--list", str(table), "--why", "from the paper"]) == 0
    assert [e.design["theta"] for e in campaign.state.experiments.values()] == [20.0, 40.0]
    table.write_text("n,theta,r,t\n6,20,1.8\n", encoding="utf-8")
    assert main(["add", str(campaign.folder), "--list", str(table)]) == 2
    assert "line 2" in capsys.readouterr().err


def test_of_a_list_with_a_row_that_cannot_be_made_none_is_added(
    campaign: Campaign, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from toughopt.cli import main

    table = tmp_path / "wanted.csv"
    for bad in ("8,40,1.6,9", "8,40,1.6,", "8,forty,1.6,0.8"):
        table.write_text(f"n,theta,r,t\n6,20,1.8,0.8\n{bad}\n", encoding="utf-8")
        assert main(["add", str(campaign.folder), "--list", str(table)]) == 2
        assert "line 3: " in capsys.readouterr().err
        assert not campaign.state.experiments


def test_an_unknown_verb_names_the_nearest(campaign: Campaign) -> None:
    with pytest.raises(InputError, match="did you mean pause"):
        campaign.request("puase", {})


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("pause", {"now": True}, "no loop runs; the next one begins nothing until `toughopt ctl"),
        ("pause", {}, "no loop runs; the next one begins nothing until `toughopt ctl"),
        ("drain", {}, "no loop runs; the next one tests what is printed, starts no print until `toughopt ctl"),
        ("resume", {}, "no loop runs: `toughopt run"),
        ("stop", {}, "no loop runs, so there is none to stop"),
    ],
)
def test_where_no_loop_runs_the_answer_says_so(
    campaign: Campaign, verb: str, arguments: dict[str, Any], said: str
) -> None:
    answer = campaign.request(verb, arguments)
    assert said in answer["message"] and str(campaign.folder) in answer["message"]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("paused", "after the task in hand", "paused: what is under way ends, nothing new begins"),
        ("paused", None, "going on"),
        ("budget", 2_000_000, "the budget is 2000000"),
        ("disabled:printer-1", True, "printer-1 is disabled"),
        ("low:theta", 20.0, "the lower limit of theta is 20"),
        ("high:theta", None, "the upper limit of theta is the one of the campaign again"),
        ("something:of-later", 3, "something:of-later = 3"),
    ],
)
def test_what_is_steered_in_words(key: str, value: object, words: str) -> None:
    assert in_words(key, value) == words


def test_a_run_without_printers_says_who_disabled_each_and_what_to_type(campaign: Campaign) -> None:
    campaign.request("disable", {"printer": "printer-1"}, who="Ada", why="worn nozzle")
    identity = campaign.suggest(1)[0]["id"]
    campaign.fail(identity, why="not wanted after all")
    with pytest.raises(DeviceError) as caught:
        campaign.run()
    assert "printer-1 by Ada (worn nozzle)" in str(caught.value) and "not wanted" not in str(caught.value)
    assert f"`toughopt ctl {campaign.folder} enable printer-1`" in str(caught.value)


def test_a_mistyped_result_is_corrected(told: Campaign) -> None:
    with pytest.raises(InputError, match=r"only one that waits.*ctl .* value 3 NUMBER` corrects it"):
        told.tell(3, value=7.0)
    told.request("exclude", {"id": 1})
    answer = told.request("value", {"id": 3, "value": "99"}, who="Ada", why="a digit too few")
    assert answer["result"] == {"id": 3, "value": 99.0}
    assert told.best is not None and (told.best.id, told.best.value) == (3, 99.0)
    assert "corrected by Ada: a digit too few" in told.state.experiments[3].notes


def test_a_value_that_waits_or_was_measured_is_not_corrected_by_hand(campaign: Campaign, tmp_path: Path) -> None:
    identity = campaign.suggest(1)[0]["id"]
    with pytest.raises(InputError, match="is proposed; a value is corrected once it is complete"):
        campaign.request("value", {"id": identity, "value": 3.0})
    rows = "".join(f"{0.01 * i:.4f},{min(800.0, 10.0 * i):.3f}\n" for i in range(400))
    (tmp_path / "test.csv").write_text("Displacement (mm),Force (N)\n" + rows, encoding="utf-8")
    campaign.tell(identity, curve=tmp_path / "test.csv")
    with pytest.raises(InputError, match=rf"measured from its curve; `toughopt ctl .* curve {identity} FILE`"):
        campaign.request("value", {"id": identity, "value": 3.0})


def test_a_value_below_zero_is_doubted(campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    from toughopt.cli import main

    first, second = (entry["id"] for entry in campaign.suggest(2))
    assert main(["tell", str(campaign.folder), str(first), "--toughness", "-5"]) == 0
    error = capsys.readouterr().err
    assert "toughness_j cannot be below 0" in error and f"value {first} NUMBER` corrects it" in error
    assert main(["tell", str(campaign.folder), str(second), "--toughness", "5"]) == 0
    assert capsys.readouterr().err == ""
    answer = campaign.request("value", {"id": first, "value": -6})
    assert answer["message"].endswith("is now -6; toughness_j cannot be below 0: was it mistyped?")


def test_a_mass_typed_wrongly_is_doubted(campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    from toughopt.cli import main

    (entry,) = campaign.suggest(1)
    identity, right_g = entry["id"], campaign.workspace.recipe.designed_mass_g(entry["design"])
    told = ["tell", str(campaign.folder), str(identity), "--toughness", "5", "--mass"]
    assert main([*told, f"{10 * right_g:.3f}"]) == 0
    error = capsys.readouterr().err
    assert f"should weigh {right_g:.3g} g" in error and f"mass {identity} GRAMS` corrects it" in error
    answer = campaign.request("mass", {"id": identity, "mass_g": 10 * right_g})
    assert "it may be another part" in answer["message"]
    answer = campaign.request("mass", {"id": identity, "mass_g": 1.05 * right_g})
    assert answer["message"].endswith(" g") and "another part" not in answer["message"]


def test_a_file_that_another_experiment_was_told_is_doubted(
    campaign: Campaign, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from toughopt.cli import main

    for name, slope in (("one", 10.0), ("two", 20.0)):
        rows = "".join(f"{0.01 * i:.4f},{min(800.0, slope * i):.3f}\n" for i in range(400))
        (tmp_path / f"{name}.csv").write_text("Displacement (mm),Force (N)\n" + rows, encoding="utf-8")
    first, second = (entry["id"] for entry in campaign.suggest(2))
    assert main(["tell", str(campaign.folder), str(first), "--curve", str(tmp_path / "one.csv")]) == 0
    assert "the same file" not in capsys.readouterr().err
    assert main(["tell", str(campaign.folder), str(second), "--curve", str(tmp_path / "one.csv")]) == 0
    error = capsys.readouterr().err
    assert f"the same file was told for experiment {first}" in error and f"curve {second} FILE` gives it" in error
    assert "one.csv: READER: read as" in error  # what reading decided and doubts, as `analyze` tells it
    other = campaign.request("curve", {"id": second, **campaign.keep_file(tmp_path / "two.csv")})
    assert "the same file" not in other["message"]
    assert campaign.state.experiments[second].result["file"] == "two.csv"


def test_a_failure_of_what_is_complete_names_what_leaves_it_out(told: Campaign) -> None:
    with pytest.raises(InputError, match=r"is complete already; `toughopt ctl .* exclude 1` leaves"):
        told.fail(1, why="crushed at an angle")


def test_only_what_is_excluded_is_restored_and_only_what_is_not_is_excluded(told: Campaign) -> None:
    told.request("exclude", {"id": 2})
    assert told.state.experiments[2].notes[-1].startswith("excluded by ")
    assert not told.state.experiments[2].notes[-1].endswith(": ")
    with pytest.raises(InputError, match="2 is excluded already"):
        told.request("exclude", {"id": 2})
    with pytest.raises(InputError, match=r"3 is not excluded; those that are: 2$"):
        told.request("restore", {"id": 3})
    told.request("restore", {"id": 2})
    with pytest.raises(InputError, match=r"2 is not excluded; those that are: none$"):
        told.request("restore", {"id": 2})


def test_a_mass_is_not_taken_for_a_part_that_the_scale_has_yet_to_weigh(campaign: Campaign) -> None:
    identity = campaign.add({"n": 8, "theta": 100.0, "r": 2.0, "t": 1.0})
    with pytest.raises(InputError, match="is proposed; what it weighs is corrected once it was weighed"):
        campaign.request("mass", {"id": identity, "mass_g": 3.0})
    by_hand = campaign.suggest(1)[0]["id"]
    campaign.request("mass", {"id": by_hand, "mass_g": 3.0})
    assert campaign.state.experiments[by_hand].mass_g == 3.0


def test_a_budget_that_is_spent_says_so(told: Campaign) -> None:
    assert told.request("budget", {"budget": 5})["message"] == "the budget is 5; 5 count already, so no more are chosen"
    assert told.request("budget", {"budget": 6})["message"] == "the budget is 6"

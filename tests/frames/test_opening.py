"""What a configuration says becomes a machine, or an error that says what is wrong with it."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from toughopt.errors import ConfigError, LinkLost, UnknownName
from toughopt.frames import (
    CommandHandler,
    Mark10Frame,
    OperatorFrame,
    OperatorHandler,
    OperatorScale,
    SartoriusScale,
    SerialTrigger,
    WatchedFolderFrame,
    check_options,
    open_frame,
    open_handler,
    open_scale,
)
from toughopt.virtual import VirtualScale
from toughopt.virtual.stand import VirtualStand


def test_each_kind_opens_as_itself(tmp_path):
    frame = open_frame({"kind": "watched_folder", "folder": str(tmp_path)})
    assert isinstance(frame, WatchedFolderFrame)
    assert isinstance(open_frame({"kind": "operator"}), OperatorFrame)
    assert isinstance(open_scale({"kind": "operator"}), OperatorScale)
    assert isinstance(open_handler({"kind": "operator"}), OperatorHandler)
    assert isinstance(open_handler({"kind": "command", "command": ["robot"]}), CommandHandler)
    with VirtualScale() as pan:
        scale = open_scale({"kind": "sartorius", "url": pan.url})
        assert isinstance(scale, SartoriusScale)
        scale.close()
    with VirtualStand(lambda x: 0.0) as stand:
        options = {"kind": "mark10", "url": stand.url, "folder": str(tmp_path), "own_force_limit_n": 1500}
        opened = open_frame(options)
        assert isinstance(opened, Mark10Frame)
        opened.close()


def test_a_person_confirms_unless_the_configuration_says_otherwise(tmp_path):
    asked = []

    def ask(question: str, timeout_s: float) -> str:
        asked.append(question)
        return "n"

    frame = open_frame({"kind": "watched_folder", "folder": str(tmp_path)}, ask=ask)
    assert not frame.guard.allows("May it move?")
    assert asked
    free = open_frame(
        {"kind": "watched_folder", "folder": str(tmp_path), "confirm": False, "trigger": {"command": ["x"]}}
    )
    assert free.guard.allows("May it move?")


def test_hands_and_frame_share_what_lies_on_the_plate(tmp_path):
    frame = open_frame({"kind": "watched_folder", "folder": str(tmp_path)})
    hands = open_handler({"kind": "operator"}, guard=frame.guard, ask=lambda question, timeout_s: "y")
    hands.to_frame("S1")
    assert frame.guard.on_plate == "S1"


@pytest.mark.parametrize(
    ("open_it", "options", "error", "why"),
    [
        (open_frame, {"kind": "watched_foldr"}, UnknownName, "did you mean watched_folder"),
        (open_frame, {}, UnknownName, "load frame"),
        (open_frame, {"kind": "watched_folder"}, ConfigError, "folder is needed"),
        (open_frame, {"kind": "watched_folder", "folder": "/nonexistent"}, ConfigError, "nonexistent is not a folder"),
        (
            open_frame,
            {"kind": "watched_folder", "folder": ".", "settle": 2},
            ConfigError,
            "did you mean .settle_s.",
        ),
        (open_frame, {"kind": "watched_folder", "folder": ".", "trigger": {}}, ConfigError, "either command"),
        (
            open_frame,
            {"kind": "watched_folder", "folder": ".", "trigger": {"url": "loop://", "commands": {"go": "G"}}},
            ConfigError,
            "must give exactly set_limits",
        ),
        (open_frame, {"kind": "watched_folder", "folder": ".", "confirm": False}, ConfigError, "neither a trigger"),
        (
            open_frame,
            {"kind": "mark10", "url": "loop://", "folder": ".", "own_force_limit_n": -1},
            ConfigError,
            "own_force_limit_n: Input should be greater than 0",
        ),
        (
            open_frame,
            {"kind": "mark10", "url": "loop://", "folder": ".", "own_force_limit_n": 9, "commands": {"dwn": "d"}},
            UnknownName,
            "did you mean down",
        ),
        (open_scale, {"kind": "sartorius", "url": "/dev/no-such-port"}, LinkLost, "no-such-port"),
        (open_scale, {"kind": "sartorius", "url": "loop://", "line": {"bits": 9}}, ConfigError, "line.bits"),
        (open_scale, {"kind": "serial", "url": "loop://", "expression": "("}, ConfigError, "not a regular expression"),
        (open_handler, {"kind": "command", "command": []}, ConfigError, "names no program"),
        (open_handler, {"kind": "robot"}, UnknownName, "no handler called 'robot'"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(open_it, options, error, why):
    with pytest.raises(error, match=why):
        open_it(options)


class _Mine:
    """Somebody else's frame."""

    name = "mine"

    def __init__(self, options, guard, ask):
        self.port = options["port"]

    def crush(self, specimen, limits, timeout_s):
        raise AssertionError("it is opened only; nothing is crushed here")

    def stop(self):
        return True

    def close(self):
        pass


def _without_options():
    return _Mine({"port": 1}, None, None)


def _nothing(options, guard, ask):
    return None


@pytest.fixture
def installed(monkeypatch):
    """Frames of another package, some of which are none."""
    codes = {"mine": "_Mine", "gone": "Gone", "bare": "_without_options", "nothing": "_nothing"}
    points = [EntryPoint(name, f"{__name__}:{code}", "toughopt.frames") for name, code in codes.items()]
    monkeypatch.setattr("toughopt.frames.opening.entry_points", lambda group: points if "frames" in group else [])


@pytest.mark.usefixtures("installed")
def test_a_third_partys_frame_is_found_by_its_entry_point():
    check_options("frame", {"kind": "mine"})
    assert open_frame({"kind": "mine", "port": 7}).port == 7


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("gone", "cannot be imported: AttributeError"),
        ("bare", "cannot be used: TypeError: .*unexpected keyword"),
        ("mine", "cannot be used: KeyError: 'port'"),
        ("nothing", "made a NoneType, which lacks what a LoadFrame has: close, crush, name, stop"),
    ],
)
def test_a_third_partys_frame_that_cannot_be_used_says_whose_it_is(kind, why):
    with pytest.raises(ConfigError, match=f"load frame '{kind}' .{__name__}:.*{why}"):
        open_frame({"kind": kind})


@pytest.mark.usefixtures("installed")
def test_a_third_partys_frame_that_cannot_be_imported_is_told_before_anything_runs():
    with pytest.raises(ConfigError, match=r"'gone' .* cannot be imported"):
        check_options("frame", {"kind": "gone"})


def test_options_are_checked_without_opening_anything():
    check_options("scale", {"kind": "sartorius", "url": "COM99"})
    check_options("frame", {"kind": "mark10", "url": "COM98", "folder": "not there", "own_force_limit_n": 1500})
    with pytest.raises(ConfigError, match=r"load frame of kind .mark10.: url is needed; .*own_force_limit_n is needed"):
        check_options("frame", {"kind": "mark10", "folder": "x"})
    with pytest.raises(UnknownName, match="no handler called 'comand'; did you mean command"):
        check_options("handler", {"kind": "comand"})


def test_a_trigger_is_let_go_where_the_load_cell_beside_it_does_not_open(tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr(SerialTrigger, "close", lambda trigger: closed.append(trigger.name))
    commands = {
        "set_limits": ["SET"],
        "read_limits": "GET",
        "limits_expression": r"(?P<force_n>\d+) (?P<travel_mm>\d+) (?P<speed_mm_per_min>\d+)",
        "start": "GO",
        "stop": "HALT",
        "status": "?",
        "standing_expression": "idle",
    }
    options = {"kind": "load_cell", "url": "/dev/no-such-port", "folder": str(tmp_path)}
    with VirtualScale() as line:
        with pytest.raises(LinkLost, match="no-such-port"):
            open_frame(options | {"trigger": {"url": line.url, "commands": commands}})
        assert closed == ["load cell"]
        with pytest.raises(ConfigError, match="is not a folder"):
            open_frame(options | {"folder": str(tmp_path / "none"), "trigger": {"url": line.url, "commands": commands}})
        assert closed == ["load cell"], "nothing is opened where the folder is wrong"

"""The machines of a campaign: opened together, and let go together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

import pytest

from toughopt.campaign import DeviceConfig, TestConfig
from toughopt.errors import DeviceError, FrameFault, LinkLost
from toughopt.frames import Handler
from toughopt.loop import open_lab, open_workspace
from toughopt.loop.lab import Lab, let_go, machine_options
from toughopt.virtual import VirtualScale, small_campaign

REAL = """url = "socket://a-real-printer:1"

[scale]
kind = "serial"
url = "{scale}"

[frame]
kind = "mark10"
url = "/dev/no-such-port"
folder = "curves"
own_force_limit_n = 1500.0

[handler]
kind = "operator"
"""


def test_a_scale_is_let_go_where_the_frame_beside_it_does_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toughopt.frames import GenericSerialScale

    closed: list[str] = []
    monkeypatch.setattr(GenericSerialScale, "close", lambda scale: closed.append(scale.name))
    (tmp_path / "curves").mkdir()
    with VirtualScale() as pan:
        text = small_campaign() + REAL.format(scale=pan.url)
        (tmp_path / "campaign.toml").write_text(text, encoding="utf-8")
        workspace = open_workspace(tmp_path)
        with pytest.raises(LinkLost, match="no-such-port"), open_lab(workspace):
            pass
        workspace.close()
    assert closed == ["serial scale"]


def test_programs_beside_the_campaign_are_found_from_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lab"
    (folder / "bin").mkdir(parents=True)
    for name in ("robot.py", "camera.py", "python3", "bin/stand"):
        (folder / name).touch()
    monkeypatch.chdir(tmp_path)
    hands = DeviceConfig.model_validate(
        {"kind": "command", "command": ["python3", "robot.py", "--fast"], "eye": {"command": ["python3", "camera.py"]}}
    )
    found = machine_options("handler", hands, Path("lab"))
    assert found["command"] == ["python3", str(folder / "robot.py"), "--fast"]
    assert found["eye"]["command"] == ["python3", str(folder / "camera.py")]
    stand = DeviceConfig.model_validate(
        {"kind": "watched_folder", "trigger": {"command": ["bin/stand", "elsewhere.py"]}}
    )
    assert machine_options("frame", stand, Path("lab"))["trigger"]["command"] == [
        str(folder / "bin/stand"),
        "elsewhere.py",
    ]


class _Frame:
    """A load frame of somebody else's."""

    name = "rig"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def crush(self, specimen: str, limits: object, timeout_s: float) -> Any:
        return self.answer

    def stop(self) -> bool:
        return True

    def close(self) -> None:
        raise OSError("the port is gone")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_program_that_is_a_link_stays_one(tmp_path: Path) -> None:
    """A virtual environment's Python is a link to one without its packages."""
    (tmp_path / "python").symlink_to(sys.executable)
    hands = DeviceConfig.model_validate({"kind": "command", "command": [str(tmp_path / "python"), "robot.py"]})
    found = machine_options("handler", hands, tmp_path)
    assert found["command"] == [str(tmp_path / "python"), "robot.py"]


def test_a_frame_answers_with_the_path_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_bytes(b"curve")

    def crushed(answer: object) -> tuple[bytes, str]:
        return Lab({}, None, _Frame(answer), cast(Handler, None)).crush(TestConfig(), "00001", 6.0)

    assert crushed(tmp_path / "one.csv") == crushed(str(tmp_path / "one.csv")) == (b"curve", "one.csv")
    for answer in (None, b"curve"):
        with pytest.raises(FrameFault, match=r"'rig' answered with a .* instead of its file's path; .* by hand"):
            crushed(answer)


def test_a_machine_that_cannot_be_let_go_is_told_by_name() -> None:
    with pytest.raises(DeviceError, match="the load frame could not be let go: OSError: the port is gone"):
        let_go("the load frame", _Frame(None).close)

"""The machines of a campaign: opened together, and let go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from toughopt.errors import LinkLost
from toughopt.loop import open_lab, open_workspace
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

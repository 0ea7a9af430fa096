"""What a campaign says of its test machine's files is what they are read with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toughopt import Campaign
from toughopt.campaign import CampaignConfig, CurveFileConfig, parse_config
from toughopt.errors import ConfigError, CurveError, UnknownName
from toughopt.loop.measuring import Body, measure_file

BODY = Body(height_mm=20.0)


def two_cells(names: str = "Way [mm];Cell A [N];Cell B [N]") -> bytes:
    """A table of two load cells, the second of which reads a third of the first, with decimal commas."""
    way = np.linspace(0.0, 6.0, 600)
    force = np.clip(way - 1.0, 0.0, None) * 100.0
    rows = [f"{x:.4f};{f:.3f};{f / 3:.3f}".replace(".", ",") for x, f in zip(way, force, strict=True)]
    return "\n".join([names, *rows]).encode()


def told(**said: object) -> CampaignConfig:
    """A campaign with this [curve_file]."""
    return CampaignConfig(curve_file=CurveFileConfig.model_validate(said))


def test_which_of_two_load_cells_counts_is_told_once_for_all_files() -> None:
    full = measure_file(told(columns={"force": "Cell A [N]"}), two_cells(), "a.csv", mass_g=2.0, body=BODY)
    third = measure_file(told(columns={"force": 2}), two_cells(), "a.csv", mass_g=2.0, body=BODY)
    assert full.value == pytest.approx(0.5 * 100.0 * 5.0**2 / 1000.0, rel=0.005)
    assert third.value == pytest.approx((full.value or 0.0) / 3, rel=0.01)


def test_units_decimal_mark_and_separator_are_told_the_same_way() -> None:
    nameless = two_cells("way;force;other")
    columns = {"displacement": 0, "force": 1}
    units = {"force_unit": "kN", "displacement_unit": "mm", "decimal": ",", "separator": ";"}
    found = measure_file(told(columns=columns, **units), nameless, "b.csv", mass_g=None, body=BODY)
    assert found.result["peak_force_n"] == pytest.approx(500e3, rel=0.001)


def test_what_a_file_leaves_open_is_asked_for_by_the_key_that_settles_it() -> None:
    with pytest.raises(CurveError, match=r"c\.csv: .*\[curve_file\] columns\.force") as failed:
        measure_file(CampaignConfig(), two_cells("Way [mm];Cell [N];Cell [N]"), "c.csv", mass_g=None, body=BODY)
    assert "column_map" not in str(failed.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('decimal = "."\ncolumns = {kraft = 1}', "force"),
        ('decimal = ";"', "curve_file.decimal"),
        ("columns = {force = -1}", "curve_file.columns"),
        ('separator = ";;"', "curve_file.separator"),
    ],
)
def test_what_no_file_could_mean_is_refused_with_its_line(line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"line \d+") as failed:
        parse_config(f"[curve_file]\n{line}\n")
    assert said in str(failed.value)


def test_a_reader_that_there_is_not_is_refused_before_anything_runs(small: Path) -> None:
    file = small / "campaign.toml"
    file.write_text(file.read_text() + '\n[curve_file]\nreader = "bluhill"\n')
    with pytest.raises(UnknownName, match=r"line \d+.*bluhill.*bluehill"), Campaign.open(small):
        pass


@pytest.mark.parametrize(("line", "said"), [('force_unit = "mm"', "no unit of force"), ('encoding = "cp9"', "cp9")])
def test_units_and_encodings_that_there_are_not_are_refused_with_their_line(small: Path, line: str, said: str) -> None:
    file = small / "campaign.toml"
    file.write_text(f"{file.read_text()}\n[curve_file]\n{line}\n")
    with pytest.raises(ConfigError, match=rf"line \d+: .*{said}"), Campaign.open(small):
        pass

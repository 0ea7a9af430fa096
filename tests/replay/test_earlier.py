from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.cli import main
from toughopt.cli.setup import campaign_text
from toughopt.errors import InputError, UnknownName
from toughopt.journal import Stage
from toughopt.replay import experiments_of, own_export, read_sheet, roles_of

_BARREL = ("n", "theta", "r", "t")
_SHELL = (
    *("c4_base", "c8_base", "c4_top", "c8_top", "twist_linear", "twist_amplitude", "twist_cycles"),
    *("perimeter_ratio", "mass", "height", "thickness"),
)
_PUBLISHED = (
    *("ADTS_ID", "PrinterNumber", "Mass", "Toughness", "C1T", "C2T", "C1B", "C2B", "Twist", "SpatialFrequency"),
    *("Amplitude", "STL_LengthRatio", "Height", "WallThickness", "CriticalEfficiency", "Valid", "Failed"),
)


def test_the_published_table_of_cylindrical_shells_is_recognised() -> None:
    roles = roles_of(_PUBLISHED, _SHELL, "energy_absorbing_efficiency", {})
    assert roles["C1T"] == ("c4_top",) and roles["C2B"] == ("c8_base",)
    assert roles["STL_LengthRatio"] == ("perimeter_ratio",) and roles["SpatialFrequency"] == ("twist_cycles",)
    assert roles["Mass"] == ("mass", "mass_g")
    assert roles["CriticalEfficiency"] == ("value",) and roles["Toughness"] == ()
    assert roles["Valid"] == ("valid",) and roles["ADTS_ID"] == ("id",)


def test_the_objective_decides_which_column_is_the_value() -> None:
    assert roles_of(_PUBLISHED, _SHELL, "toughness_j", {})["Toughness"] == ("value",)


def test_two_columns_of_one_role_are_refused_until_somebody_says_which() -> None:
    columns = (*_BARREL, "toughness", "Toughness (J)")
    with pytest.raises(InputError, match="both look like value"):
        roles_of(columns, _BARREL, "toughness_j", {})
    roles = roles_of(columns, _BARREL, "toughness_j", {"toughness": "ignore"})
    assert roles["Toughness (J)"] == ("value",) and roles["toughness"] == ()


def test_what_is_in_no_column_is_asked_for() -> None:
    with pytest.raises(InputError, match="the parameter theta"):
        roles_of(("n", "angle", "r", "t", "toughness"), _BARREL, "toughness_j", {})
    roles = roles_of(("n", "angle", "r", "t", "toughness"), _BARREL, "toughness_j", {"angle": "theta"})
    assert roles["angle"] == ("theta",)


def test_unknown_columns_and_roles_are_told_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="toughness"):
        roles_of((*_BARREL, "toughness"), _BARREL, "toughness_j", {"toughnes": "value"})
    with pytest.raises(UnknownName, match="value"):
        roles_of((*_BARREL, "toughness"), _BARREL, "toughness_j", {"toughness": "valu"})


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    folder = tmp_path / "campaign"
    Campaign.create(folder, campaign_text(name="new")).close()
    return folder


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


_ROWS: list[dict[str, object]] = [
    {"id": 7, "n": 8, "theta": 100, "r": 2.0, "t": 1.0, "toughness": 20.5, "Mass": 3.1, "Failed": 0},
    {"id": 8, "n": 6, "theta": 50.5, "r": 1.5, "t": 0.7, "toughness": "", "Mass": "", "Failed": 1},
]


def test_rows_become_experiments_that_the_model_learns_from(campaign: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "earlier.csv", _ROWS)
    assert main(["import", str(table), str(campaign)]) == 0
    with Campaign.open(campaign) as opened:
        assert not opened.state.experiments  # nothing without --yes
    assert main(["import", str(table), str(campaign), "--yes"]) == 0
    with Campaign.open(campaign) as opened:
        first, second = opened.state.experiments.values()
        assert (first.stage, first.value, first.mass_g, first.source) == (Stage.COMPLETE, 20.5, 3.1, "import")
        assert first.design == {"n": 8, "theta": 100, "r": 2.0, "t": 1.0}
        assert "earlier.csv, line 2, id 7" in first.notes[0]
        assert (second.stage, second.blame) == (Stage.FAILED, "design")
        assert len(opened.workspace.chooser.observations(opened.state)) == 2


def test_what_was_edited_before_the_import_holds_for_what_was_imported(campaign: Path, tmp_path: Path) -> None:
    path = campaign / "campaign.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# fixed = { height = 20.0 }", "fixed = { height = 6.0 }"), encoding="utf-8")
    assert main(["import", str(write(tmp_path / "earlier.csv", _ROWS)), str(campaign), "--yes"]) == 0
    with Campaign.open(campaign) as opened:
        assert len(opened.state.experiments) == len(_ROWS)
        assert opened.state.config["family"]["fixed"] == {"height": 6.0}


def test_a_row_outside_the_limits_stops_the_import_or_is_left_out(
    campaign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write(tmp_path / "earlier.csv", [*_ROWS, {**_ROWS[0], "theta": 900}])
    for more in ([], ["--yes"]):  # what would be refused is refused before somebody says yes
        assert main(["import", str(table), str(campaign), *more]) == 2
        assert "line 4" in capsys.readouterr().err
    with Campaign.open(campaign) as opened:
        assert not opened.state.experiments
    assert main(["import", str(table), str(campaign), "--yes", "--skip-outside", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["written"], answer["outside"]) == (2, 1)


def test_a_preview_tells_how_many_rows_would_be_left_out(
    campaign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write(tmp_path / "earlier.csv", [*_ROWS, {**_ROWS[0], "theta": 900}])
    assert main(["import", str(table), str(campaign), "--skip-outside", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["written"], answer["outside"]) == (0, 1)


@pytest.mark.parametrize("more", [[], ["--yes"]])
def test_rows_that_the_campaign_has_already_are_refused_until_somebody_insists(
    campaign: Path, tmp_path: Path, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    table = write(tmp_path / "earlier.csv", _ROWS)
    assert main(["import", str(table), str(campaign), "--yes"]) == 0
    longer = write(tmp_path / "by another name.csv", [{**_ROWS[0], "toughness": 21.5}, *_ROWS])
    capsys.readouterr()
    assert main(["import", str(longer), str(campaign), *more]) == 2
    said = capsys.readouterr().err
    assert "2 of 3 rows are in the campaign already" in said and "line 3" in said
    with Campaign.open(campaign) as opened:
        assert len(opened.state.experiments) == 2
    assert main(["import", str(longer), str(campaign), "--again", "--yes"]) == 0
    with Campaign.open(campaign) as opened:
        assert len(opened.state.experiments) == 5


def test_two_equal_tests_in_one_file_are_two_tests(campaign: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "earlier.csv", [_ROWS[0], _ROWS[0]])
    assert main(["import", str(table), str(campaign), "--yes"]) == 0
    with Campaign.open(campaign) as opened:
        assert len(opened.state.complete) == 2


def test_a_cell_that_is_no_number_is_told_with_its_line(campaign: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "earlier.csv", [_ROWS[0], {**_ROWS[0], "toughness": "strong"}])
    assert main(["import", str(table), str(campaign)]) == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Failed": "cracked"}, "line 3: 'cracked' says neither yes nor no"),
        ({"toughness": ""}, "line 3: toughness is missing, and yet the test did not fail"),
        ({"Mass": "heavy"}, "line 3: Mass = 'heavy' is not a finite number"),
        ({"n": ""}, "line 3: n is missing"),
    ],
)
def test_a_row_that_may_mean_two_things_is_refused_with_its_line(
    campaign: Path, tmp_path: Path, changed: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write(tmp_path / "earlier.csv", [_ROWS[0], {**_ROWS[0], **changed}])
    assert main(["import", str(table), str(campaign), "--yes"]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    with Campaign.open(campaign) as opened:
        assert not opened.state.experiments


def test_a_table_with_semicolons_and_decimal_commas_is_the_same_experiments(campaign: Path, tmp_path: Path) -> None:
    table = tmp_path / "earlier.csv"
    table.write_text("n;theta;r;t;Toughness (J)\n8;100;2,0;1,05;20,5\n", encoding="utf-16")
    assert main(["import", str(table), str(campaign), "--yes"]) == 0
    with Campaign.open(campaign) as opened:
        (only,) = opened.state.complete
        assert (only.value, only.design) == (20.5, {"n": 8, "theta": 100, "r": 2.0, "t": 1.05})


def test_what_was_exported_can_be_imported(campaign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "exported.csv"
    with Campaign.open(campaign) as opened:
        ids = [opened.add({"n": n, "theta": 90.0, "r": 2.0, "t": 1.0}, manual=True) for n in (6, 8, 10, 12, 6)]
        opened.tell(ids[0], value=11.5, mass_g=2.5)
        opened.tell(ids[1], value=99.0)
        opened.request("exclude", {"id": ids[1]}, why="crushed at an angle")
        opened.fail(ids[2], why="falls over", blame="design")
        opened.fail(ids[3], why="spool ran out", blame="lab")
    assert main(["export", str(campaign), "-o", str(table)]) == 0
    other = tmp_path / "other"
    Campaign.create(other, campaign_text(name="other")).close()
    assert main(["import", str(table), str(other), "--yes"]) == 0, capsys.readouterr().err
    with Campaign.open(other) as opened:
        first, second = opened.state.experiments.values()  # nothing of the excluded, the lab's failures and the pending
        assert (first.design["n"], first.value, first.mass_g) == (6, 11.5, 2.5)
        assert (second.design["n"], second.stage, second.blame) == (10, Stage.FAILED, "design")


def test_an_exported_value_of_another_objective_is_not_taken_for_this_one(tmp_path: Path) -> None:
    shared = {"id": 1, "state": "complete", "excluded": "False", "blame": "", "n": 8, "theta": 9, "r": 2, "t": 1}
    forces = write(tmp_path / "forces.csv", [shared | {"toughness_j": 20.5, "peak_force_n": 4000, "value": 4000}])
    table, twice = own_export(read_sheet(forces), "toughness_j")
    roles = roles_of(table.columns, _BARREL, "toughness_j", twice)
    assert experiments_of(table, roles, _BARREL)[0].value == 20.5
    table, twice = own_export(read_sheet(forces), "peak_force_n")
    assert experiments_of(table, roles_of(table.columns, _BARREL, "peak_force_n", twice), _BARREL)[0].value == 4000

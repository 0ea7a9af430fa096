"""Each command as a person types it: what it answers, and with which exit code."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toughopt import Campaign, Curve
from toughopt.cli.curves import analyze_command
from toughopt.cli.output import write_text_whole
from toughopt.compression import write_csv
from toughopt.errors import InputError
from toughopt.optimizer import available_policies

Run = Callable[..., tuple[int, str, str]]
Answer = Callable[..., Any]


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    x = np.linspace(0.0, 6.0, 1200)
    path = tmp_path / "curve.csv"
    write_csv(Curve(displacement_mm=x, force_n=np.clip(x - 1.0, 0.0, None) * 100.0, time_s=x * 30.0), path)
    return path


@pytest.fixture
def by_hand(tmp_path: Path, run: Run) -> Path:
    folder = tmp_path / "lab"
    assert run("new", folder, "--budget", 6, "--seed", 3)[0] == 0
    return folder


def test_help_lists_every_command(run: Run) -> None:
    from toughopt.cli import _COMMANDS

    code, out, _ = run("--help")
    assert code == 0
    assert all(name in out for name in _COMMANDS)
    for name in _COMMANDS:
        assert run(name, "--help")[0] == 0, name


def test_families_and_printers(answer: Answer) -> None:
    families = {entry["name"]: entry for entry in answer("families")}
    assert [p["name"] for p in families["crossed_barrel"]["parameters"]] == ["n", "theta", "r", "t"]
    printers = {entry["name"] for entry in answer("printers")}
    assert {"virtual", "makergear_m3", "marlin_generic"} <= printers


@pytest.mark.parametrize(
    ("command", "what", "ours", "looked_up"),
    [
        ("policies", "policy", "bear2020", "importlib.metadata"),
        ("families", "family", "tpms_shell", "toughopt.families.registry"),
    ],
)
def test_a_part_of_another_package_that_cannot_be_used_hides_no_other(
    command: str, what: str, ours: str, looked_up: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("broken", "lab_of_nobody:Broken", f"toughopt.{command}")
    monkeypatch.setattr(f"{looked_up}.entry_points", lambda group: [point] if group == point.group else [])
    code, out, error = run(command)
    assert code == 0 and ours in out
    assert f"warning: {what} 'broken' (lab_of_nobody:Broken) cannot be imported: ModuleNotFoundError" in error


def test_every_policy_says_what_it_does(run: Run, answer: Answer) -> None:
    policies = {entry["name"]: entry for entry in answer("policies")}
    assert set(policies) == set(available_policies()) and all(entry["meaning"] for entry in policies.values())
    assert answer("policies", "bear2020")["settings"]["kernel"] == "squared_exponential"
    assert all(name in run("policies")[1] for name in policies)
    code, _, error = run("policies", "bear2021")
    assert code == 2 and "bear2020" in error


def test_make_then_slice_then_check(answer: Answer, tmp_path: Path) -> None:
    made = answer(
        "make",
        "crossed_barrel",
        "n=6",
        "theta=60",
        "t=0.9",
        "height=6",
        "-o",
        tmp_path / "part",
        "-p",
        "virtual_small",
    )
    assert made["design"] == {"n": 6, "theta": 60.0, "r": 2.0, "t": 0.9}
    assert made["bounding_box_mm"][2] == pytest.approx(6.0, abs=0.01)
    assert (tmp_path / "part" / "part.png").read_bytes().startswith(b"\x89PNG")
    sliced = answer("slice", tmp_path / "part" / "part.stl", "-o", tmp_path / "x.gcode", "-p", "virtual_small")
    assert sliced["layers"] == made["program"]["layers"] == 20
    assert sliced["filament_mm"] == pytest.approx(made["program"]["filament_mm"], rel=0.01)
    checked = answer("gcode", tmp_path / "x.gcode", "-p", "virtual_small")
    assert checked["ok"] and checked["filament_g"] == pytest.approx(sliced["filament_g"], rel=0.01)


def test_analyze_draws_one_curve_several_or_replicates(run: Run, curve: Path, tmp_path: Path) -> None:
    second = tmp_path / "second.csv"
    second.write_bytes(curve.read_bytes())
    for name, arguments in {"one": [curve], "two": [curve, second], "band": [curve, second, "--replicates"]}.items():
        assert run("analyze", *arguments, "--plot", tmp_path / f"{name}.png")[0] == 0
    pictures = [(tmp_path / f"{name}.png").read_bytes() for name in ("one", "two", "band")]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert len(set(pictures)) == 3


def test_analyze_has_its_stable_keys(answer: Answer, curve: Path) -> None:
    (entry,) = answer("analyze", curve, "--height-mm", 20, "--mass-g", 2.5)
    keys = {
        "file",
        "specimen",
        "toughness_j",
        "peak_force_n",
        "stiffness_n_per_mm",
        "max_displacement_mm",
        "specific_energy_j_per_g",
        "energy_absorbing_efficiency",
        "densification_strain",
        "warnings",
    }
    assert keys <= set(entry)
    assert entry["toughness_j"] == pytest.approx(0.5 * 500 * 5 / 1000, rel=0.005)
    assert entry["specific_energy_j_per_g"] == pytest.approx(entry["toughness_j"] / 2.5)


@pytest.mark.parametrize(
    ("head", "more", "remedy"),
    [
        ("a,b", (), "--column force=NAME tells which"),
        ("Load (N),Load (N),Extension (mm)", (), "--column force=NUMBER tells which"),
        ("Load (N),Extension (mm)", ("--column", "force=Kraft"), "--column says that force is 'Kraft'"),
        ("Load (foo),Extension (mm)", (), "give --force-unit, for example --force-unit N"),
        ("Load,Extension (mm)", (), "taken as N; --force-unit settles it"),
        ("Load (N),Extension (mm)", ("--end", "strain", "--end-value", "0.1"), "give --height-mm"),
        ("Load (N),Extension (mm)", ("--end", "strain"), "needs --end-value"),
    ],
)
def test_analyze_names_the_options_that_settle_it(
    run: Run, tmp_path: Path, head: str, more: tuple[str, ...], remedy: str
) -> None:
    rows = (",".join(str(i / 10) for _ in head.split(",")) for i in range(20))
    (tmp_path / "c.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    _, _, err = run("analyze", tmp_path / "c.csv", *more)
    assert remedy in err
    assert "column_map" not in err and "_unit" not in err
    options = {option for parameter in analyze_command.params for option in parameter.opts}
    assert {word.rstrip(",;:") for word in err.split() if word.startswith("--")} <= options


def test_backtest_on_a_table(answer: Answer, tmp_path: Path) -> None:
    rows = [f"{x},{y},{np.exp(-((x - 5) ** 2 + (y - 3) ** 2) / 8):.4f}" for x in range(8) for y in range(6)]
    table = tmp_path / "table.csv"
    table.write_text("x,y,j\n" + "\n".join(rows) + "\n", encoding="utf-8")
    picture = tmp_path / "b.png"
    found = answer(
        *("backtest", table, "--objective", "j", "--policy", "random", "--policy", "lhs"),
        *("--initial", 2, "--budget", 10, "--seeds", 2, "--workers", 1, "--plot", picture),
    )
    assert len(found["designs"]) == 48
    assert set(found["policies"]) == {"random", "lhs"}
    assert [len(order) for order in found["policies"]["lhs"]["order"]] == [10, 10]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_campaign_by_hand_from_new_to_replay(
    run: Run, answer: Answer, by_hand: Path, curve: Path, tmp_path: Path
) -> None:
    suggested = answer("suggest", by_hand, "-n", 2)
    assert [entry["id"] for entry in suggested] == [1, 2]
    assert answer("tell", by_hand, 1, "--curve", curve)["value"] == pytest.approx(1.25, rel=0.005)
    assert answer("tell", by_hand, 2, "--toughness", 2.5, "--mass", 2.0)["value"] == 2.5
    added = answer("add", by_hand, "n=8", "theta=10", "r=2", "t=1", "--by-hand", "--why", "a hunch")["id"]
    assert run("fail", by_hand, added, "--why", "warped")[0] == 0
    status = answer("status", by_hand)
    assert (status["complete"], status["best"]["id"]) == (2, 2)
    assert run("export", by_hand, "-o", tmp_path / "e.csv")[0] == 0
    lines = (tmp_path / "e.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("id,state,n,theta,r,t,") and len(lines) == 4
    assert run("plot", by_hand, "--format", "svg")[0] == 0
    assert (by_hand / "exports" / "overview.svg").stat().st_size > 1000
    assert answer("replay", by_hand)["differences"] == []


def test_run_says_every_step_to_whoever_wants_that(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    assert run("new", folder, "--printer", "virtual_small")[0] == 0
    path = folder / "campaign.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# fixed = { height = 20.0 }", "fixed = { height = 6.0 }"), encoding="utf-8")
    code, out, err = run("run", folder, "--budget", 1, "-v", "--json")
    assert code == 0, err
    assert json.loads(out)["complete"] == 1
    assert "   1  printing on printer-1\n" in err and "   1  weighed\n" in err


def test_replay_of_what_is_not_there_says_how_many_there_are(run: Run, answer: Answer, by_hand: Path) -> None:
    assert run("replay", by_hand)[0] == 0  # nothing has been decided yet, and nothing differs
    answer("suggest", by_hand, "-n", 2)
    code, out, err = run("replay", by_hand, "--from", 50)
    assert (code, out) == (2, "")
    assert "has 2 experiments; there is no number 50" in err
    assert run("replay", by_hand, "--from", 2, "--until", 1)[0] == 2
    assert answer("replay", by_hand, "--from", 1)["decisions"] == 1


def test_what_writes_files_tells_scripts_which(answer: Answer, tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    made = answer("new", folder, "--url", "COM3", "--frame", "mark10", "--scale", "none")
    assert made["folder"] == str(folder)
    assert made["files"] == [str(folder / "campaign.toml"), str(folder / "journal.sqlite")]
    lines = (folder / "campaign.toml").read_text(encoding="utf-8").splitlines()
    assert len(made["fill_in_lines"]) == 3
    assert all("TO FILL IN" in lines[number - 1] for number in made["fill_in_lines"])
    lab = tmp_path / "virtual"
    answer("new", lab)
    answer("suggest", lab, "-n", 2)
    table = tmp_path / "rows.jsonl"
    assert answer("export", lab, "--format", "jsonl", "-o", table) == {
        "file": str(table),
        "format": "jsonl",
        "rows": len(table.read_text(encoding="utf-8").splitlines()),
    }
    told = answer("report", lab)
    assert told == {"file": str(lab / "exports" / "report.html"), "bytes": Path(told["file"]).stat().st_size}


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_table_can_be_piped(
    kind: str, run: Run, answer: Answer, by_hand: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer("suggest", by_hand)
    assert run("export", by_hand, "--format", kind, "-o", tmp_path / "table")[0] == 0
    code, out, err = run("export", by_hand, "--format", kind, "-o", "-")
    assert (code, err) == (0, "")
    assert out == (tmp_path / "table").read_text(encoding="utf-8") and "theta" in out
    assert not Path("-").exists()


def test_no_other_file_is_called_as_standard_output_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="name a file"):
        write_text_whole(Path("-"), "G28\n")
    assert not Path("-").exists()


def test_replay_tells_the_first_decision_that_a_changed_setting_changes(
    run: Run, answer: Answer, by_hand: Path
) -> None:
    for identity in (1, 2):
        answer("suggest", by_hand)
        answer("tell", by_hand, identity, "--toughness", identity)
    path = by_hand / "campaign.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("seed = 3", "seed = 4"), encoding="utf-8")
    code, _, err = run("replay", by_hand)
    assert code == 1
    assert "the first difference is the decision of experiment 1" in err and "seed was 3, is 4" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("status", "{tmp}/nowhere"), 2, "toughopt new"),
        (("make", "crossed_barrel", "t=9", "-o", "{tmp}/p"), 2, "0.7 to 1.4 mm"),
        (("make", "crossed_barrel", "tt=1", "-o", "{tmp}/p"), 2, "tt"),
        (("make", "crossed_barel", "-o", "{tmp}/p"), 2, "did you mean crossed_barrel"),
        (("make", "crossed_barrel", "-o", "{tmp}/p", "-p", "makergear"), 2, "did you mean makergear_m3"),
        (("slice", "{tmp}/broken.stl", "-o", "{tmp}/x.gcode"), 2, "broken.stl"),
        (("gcode", "{tmp}/broken.stl"), 2, "broken.stl"),
        (("analyze", "{tmp}/broken.stl"), 2, "broken.stl"),
        (("analyze", "{tmp}/ok.gcode", "--end", "break"), 2, "choose end_of_loading, first_break"),
        (("analyze", "{tmp}/ok.gcode", "--separator", ";;"), 2, "a separator is one character"),
        (("print", "{tmp}/ok.gcode", "--port", "/dev/no-such-port"), 3, "/dev/no-such-port"),
        (("backtest", "{tmp}/ok.gcode", "--objective", "j"), 2, "ok.gcode"),
        (("run", "{tmp}/typo"), 2, "did you mean 'budget'"),
        (("suggest",), 2, "DIR"),
        (("stauts", "{tmp}/lab"), 2, "did you mean status"),
        (
            ("make", "crossed_barrel", "height=6", "-p", "virtual_small", "-o", "{tmp}/broken.stl/p"),
            2,
            "cannot be made",
        ),
        (("first-print", "bench", "--yes", "--folder", "{tmp}/broken.stl/p"), 2, "cannot be made"),
        (("new", "{tmp}/lab2", "--printer", "{tmp}/nix.toml"), 2, "there is no such file"),
        (("new", "{tmp}/lab2", "--frame", "watched_foldr"), 2, "did you mean watched_folder"),
        (("new", "{tmp}/lab2", "--scale", "kitchen"), 2, "known: operator, sartorius, serial"),
        (("new", "{tmp}/lab2", "--frame", "watched_folder"), 2, "does not go with a virtual printer"),
        (("run", "{tmp}/mixed"), 2, "virtual as a whole, or real"),
        (("run", "{tmp}/lab", "-q", "-v"), 2, "either -q or -v"),
        (("ctl", "{tmp}/lab", "note"), 2, "--why"),
        (("ctl", "{tmp}/lab", "keep-clear", "maybe"), 2, "neither on nor off"),
        (("ctl", "{tmp}/lab", "drain", "--now"), 2, "--now goes with pause"),
        (("ctl", "{tmp}/lab", "resume", "--nwo"), 2, "--nwo"),
        (("ctl", "{tmp}/lab", "limits", "theta", "-5", "100"), 2, "0 to 200"),
        (("analyze", "{tmp}/curve.csv", "--end", "strian"), 2, "strain"),
        (("add", "{tmp}/lab", "--list", "{tmp}/designs.csv"), 2, "line 3: t is missing"),
        (("export", "{tmp}/lab", "--format", "zip", "-o", "-"), 2, "does not go with --format zip"),
        (("export", "{tmp}/lab", "-o", "-", "--json"), 2, "does not go with --json"),
        (("add", "{tmp}/lab", "--list", "{tmp}/thick.csv"), 2, "thick.csv, line 3: "),
        (("backtest", "{tmp}/commas.csv", "--objective", "y"), 2, "line 2: 3 cells"),
    ],
)
def test_bad_input_is_one_clear_message(
    run: Run, tmp_path: Path, curve: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    Campaign.create(tmp_path / "lab", 'name = "lab"\n').close()
    Campaign.create(tmp_path / "mixed", '[frame]\nkind = "operator"\n').close()
    (tmp_path / "designs.csv").write_text("n,theta,r,t\n8,100,2,1\n8,100,2\n", encoding="utf-8")
    (tmp_path / "thick.csv").write_text("n,theta,r,t\n8,100,2,1\n8,100,2,9\n", encoding="utf-8")
    (tmp_path / "commas.csv").write_text("x,y\n1,5,2\n", encoding="utf-8")
    (tmp_path / "broken.stl").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "typo").mkdir()
    (tmp_path / "typo" / "campaign.toml").write_text("budgt = 3\n", encoding="utf-8")
    if "ok.gcode" in str(arguments):
        made = run("make", "crossed_barrel", "height=6", "-o", tmp_path / "made", "-p", "virtual_small")
        assert made[0] == 0, made[2]
        (tmp_path / "made" / "part.gcode").rename(tmp_path / "ok.gcode")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    found, out, err = run(*(argument.format(tmp=tmp_path) for argument in arguments))
    assert found == code, (out, err)
    assert said in err and "Traceback" not in err
    after = {path for path in tmp_path.rglob("*") if path.is_file() and path.name != "conductor.lock"}
    assert after == before


def test_a_reader_that_has_seen_enough_is_no_error_to_be_traced() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "toughopt", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_a_file_that_cannot_be_used_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/lab/part.stl")

    monkeypatch.setattr("toughopt.families.available_families", full)
    assert run("families") == (1, "", "error: /lab/part.stl: No space left on device\n")


def test_what_steers_answers_scripts_too(run: Run, answer: Answer, by_hand: Path) -> None:
    assert [entry["id"] for entry in answer("suggest", by_hand)] == [1]
    empty = by_hand.parent / "header only.csv"
    empty.write_text("Time,Extension,Load\n(s),(mm),(N)\n", encoding="utf-8")
    code, _, err = run("tell", by_hand, 1, "--curve", empty)
    assert code == 2 and err.startswith("error: header only.csv: there are no rows of numbers")
    assert answer("fail", by_hand, 1, "--why", "falls over") == {"id": 1, "blame": "design"}
    assert answer("ctl", by_hand, "budget", 40)["message"] == "the budget is 40"


def test_a_limit_may_be_below_zero(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "shells"
    assert run("new", folder, "--family", "cylindrical_shell")[0] == 0
    code, _, err = run("ctl", folder, "limits", "c8_top", "-0.5", "-0.1")
    assert code == 0, err
    with Campaign.open(folder) as campaign:
        assert -0.5 <= campaign.suggest(1)[0]["design"]["c8_top"] <= -0.1


def test_a_table_from_a_spreadsheet_with_decimal_commas_and_fewer_designs_than_the_usual_budget(
    answer: Answer, tmp_path: Path
) -> None:
    table = tmp_path / "eigene.csv"
    table.write_text("breite;höhe;festigkeit\n1,5;2;3,25\n2;3;4\n2,5;2;4,5\n3;1;2\n", encoding="utf-8")
    found = answer("backtest", table, "--objective", "festigkeit", "--policy", "random", "--seeds", 2)
    assert found["designs"][0] == {"breite": 1.5, "höhe": 2}
    assert found["policies"]["random"]["best_so_far"][0][-1] == 4.5
    assert [sorted(order) for order in found["policies"]["random"]["order"]] == [[0, 1, 2, 3]] * 2


def test_a_rejected_curve_is_exit_code_1_with_null(run: Run, tmp_path: Path) -> None:
    flat = tmp_path / "flat.csv"
    x = np.linspace(0.0, 5.0, 400)
    write_csv(Curve(displacement_mm=x, force_n=np.zeros(400), time_s=x), flat)
    code, out, _ = run("analyze", flat, "--json")
    assert code == 1
    assert json.loads(out)[0]["toughness_j"] is None


def test_the_campaign_that_run_makes_is_the_one_that_the_documents_describe(tmp_path: Path) -> None:
    from toughopt.cli.setup import campaign_text

    with Campaign.create(tmp_path / "c", campaign_text()) as campaign:
        config = campaign.workspace.config
        assert (config.family.name, config.budget, config.all_virtual) == ("crossed_barrel", 25, True)


def test_a_decimal_comma_is_told_as_one(run: Run, told: Path) -> None:
    for words in (
        ("tell", told, 3, "--toughness", "12,5"),
        ("tell", told, 3, "--toughness", "12.5", "--mass", "12,5"),
        ("ctl", told, "mass", 3, "12,5"),
        ("add", told, "n=8", "theta=12,5"),
    ):
        code, out, err = run(*words)
        assert (code, out) == (2, "") and "the decimal mark is a point: 12.5" in err


def test_a_folder_with_a_blank_is_named_as_it_is_typed(run: Run, tmp_path: Path) -> None:
    code, _, err = run("status", tmp_path / "für mich")
    assert code == 2 and f"`toughopt new '{tmp_path / 'für mich'}'` writes one" in err
    run("new", tmp_path / "für mich")
    assert 'name = "für mich"' in (tmp_path / "für mich" / "campaign.toml").read_text(encoding="utf-8")


def test_figures_of_a_few_specimens_stand_on_a_line_each(run: Run, curve: Path) -> None:
    code, out, _ = run("analyze", curve, "--height-mm", 20, "--mass-g", 2.5)
    assert code == 0 and "energy_absorbing_efficiency" in out and "specific_energy_j_per_g" in out
    assert max(map(len, out.splitlines())) <= 80

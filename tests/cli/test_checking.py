"""`toughopt check` tells beforehand what would cost a specimen, or a night, later."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from toughopt import Campaign
from toughopt.cli import main
from toughopt.families import available_families
from toughopt.loop.rehearsal import rehearse

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A new campaign's folder, after one text in its campaign.toml was replaced by another."""

    def made(old: str, new: str) -> Path:
        folder = tmp_path / "schäl 1"
        assert main(["new", str(folder), "--budget", "3"]) == 0
        text = (folder / "campaign.toml").read_text(encoding="utf-8")
        assert old in text
        (folder / "campaign.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return made


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`installed("a:b", "c:d")`: packages that add these, under the name `default`, to the policies."""

    def install(*codes: str) -> None:
        points = [EntryPoint("default", code, "toughopt.policies") for code in codes]
        for place in ("importlib.metadata", "toughopt.loop.doubts"):
            monkeypatch.setattr(f"{place}.entry_points", lambda group: points if group.endswith("policies") else [])

    return install


def test_a_part_of_another_package_with_the_name_of_one_of_ours_is_said_to_be_unused(
    write: Write, installed: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write("budget = 3", "budget = 4")
    installed("lab:Default")
    assert main(["check", str(folder)]) == 0
    assert "policy 'default' (lab:Default) is not used: toughopt has one of that name" in capsys.readouterr().err


FRAME = '[frame]         # virtual, watched_folder, mark10, load_cell, operator\nkind = "virtual"'

HANDLER = '[handler]       # who carries parts and clears beds: virtual, operator, command\nkind = "virtual"'
COMMAND = '[handler]\nkind = "command"\n'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('policy = "default"', 'policy = "bayes"', "no policy called 'bayes'; known: bear2020"),
        ("features = true", 'settings = { replicat = "gain" }', "no setting 'replicat'"),
        (
            "# end =",
            "base_line = 1\n# end =",
            "no key of [analysis] called 'base_line'; did you mean",
        ),
        ("layer_height_mm = 0.25,", "layer = 0.25,", "no key of [slicing.overrides] called 'layer'"),
        ("layer_height_mm = 0.25,", "layer_height_mm = 2.5,", "layers of 2.5 mm must be lower than"),
        (FRAME, '[frame]\nkind = "instron"', "no load frame called 'instron'; known: load_cell"),
        (
            FRAME,
            '[frame]\nkind = "watched_folder"\nfoldr = "x"',
            "folder is needed; foldr is not known; did you mean 'folder'?",
        ),
        (FRAME, "[frame]\nkind = \"watched_folder\"\nfolder = 'C:\\none'", "is no folder on this computer"),
        (FRAME, '[frame]\nkind = "operator"', "the printers are virtual, but frame is 'operator'"),
        (HANDLER, COMMAND + 'command = ["robot-arm"]', "[handler] command names 'robot-arm', which is"),
        (
            HANDLER,
            COMMAND + 'command = ["python3", "robot.py"]',
            "[handler] command names 'robot.py', which is neither",
        ),
        (
            HANDLER,
            COMMAND + 'command = ["python3"]\n[handler.eye]\ncommand = ["python3", "camera.py"]',
            "[handler.eye] command names 'camera.py'",
        ),
        ('# url = "https', 'url = "hooks.x.org"\n# url = "https', "no web address"),
        ('url = "virtual"', 'url = "virtual"\nfaults = ["jamm"]', "no fault called 'jamm'"),
        ('url = "virtual"', 'url = "virtual"\nclock = "fast"', "'fast'"),
        ('# learn_from = ["../earlier"]', 'learn_from = ["../earlier"]', "is not there"),
    ],
)
def test_each_mistake_is_told_and_nothing_is_made(
    old: str, new: str, said: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(old, new)
    assert main(["check", str(folder)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "crossed_barrel"', 'name = "crossed_barel"'),
        ("# fixed = { height = 20.0 } ", "fixed = { hight = 20.0 } "),
        ("# parameters.n = { low = 6, high = 12 }", "parameters.m = { low = 6 }"),
        ("# parameters.n = { low = 6, high = 12 }", "parameters.n = { low = 2 }"),
        ('policy = "default"', 'policy = "defualt"'),
        ("features = true", 'settings = { replicat = "gain" }'),
        ('profile = "virtual"', 'profile = "virtul"'),
        ("layer_height_mm = 0.25,", "layer_hight_mm = 0.25,"),
        ("layer_height_mm = 0.25,", "layer_height_mm = 2.5,"),
        ("# parameters.n = { low = 6, high = 12 }", "parameters.n = { low = 12, high = 6 }"),
        ("# parameters.n = { low = 6, high = 12 }", "parameters.n = { low = 7, high = 12 }"),
        ("# parameters.n = { low = 6, high = 12 }", "parameters.n = { values = [6, 8] }"),
        ("# end =", "base_line = 1 # end ="),
        ("# end =", "break_drop = 2.0 # end ="),
        ("# end =", 'end = "strain" # end ='),
        ("# end =", 'break_drop = "half" # end ='),
        ('# learn_from = ["../earlier"]', 'learn_from = ["../earlier"]'),
    ],
)
def test_names_and_values_that_only_the_rooms_know_are_told_with_file_and_line(
    old: str, new: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(old, new) / "campaign.toml"
    line = next(n for n, said in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1) if new in said)
    assert main(["check", str(path.parent)]) == 2
    assert f"error: {path}, line {line}: " in capsys.readouterr().err


def test_a_prior_that_there_is_not_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text('family = { name = "tpms_shell" }\n[optimizer]\nprior = "press"\n', encoding="utf-8")
    assert main(["check", str(tmp_path)]) == 2
    assert f"error: {path}, line 3: [optimizer] prior = " in capsys.readouterr().err


def test_a_file_as_windows_editors_save_it_is_read(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write("seed = 1", "seed = 3")
    path = folder / "campaign.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8-sig", newline="\r\n")
    assert main(["check", str(folder)]) == 0, capsys.readouterr().err
    path.write_text('name = "größe"\n', encoding="cp1252")
    assert main(["check", str(folder)]) == 2
    assert "save it as UTF-8" in capsys.readouterr().err


def test_all_mistakes_are_told_at_once(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write('policy = "default"', 'policy = "bayes"')
    text = (folder / "campaign.toml").read_text(encoding="utf-8").replace(FRAME, '[frame]\nkind = "instron"')
    (folder / "campaign.toml").write_text(text, encoding="utf-8")
    capsys.readouterr()
    assert main(["check", str(folder), "--json"]) == 2
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert len(problems) == 3 and "bayes" in problems[0] and "instron" in problems[1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("force_limit_n = 5000.0", "force_limit_n = 5", "if kN are meant, write 5000"),
        ("speed_mm_per_min = 2.0", "speed_mm_per_min = 2000", "33.3 mm a second"),
        ("layer_height_mm = 0.25,", "layer_height_mm = 0.33,", "layers of 0.33 mm on printer-1 are higher than 0.8"),
    ],
)
def test_what_is_possible_and_hardly_meant_is_a_warning_also_in_a_rehearsal(
    old: str, new: str, said: str, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(old, new)
    assert main(["check", str(folder)]) == 0
    told = capsys.readouterr()
    assert "warning: " in told.err and said in told.err and "nothing is wrong" not in told.out
    with Campaign.open(folder) as campaign:
        step = next(rehearse(campaign.workspace))
    assert step.what == "settings" and said in step.warnings[0]


def test_a_campaign_file_that_says_nothing_is_told_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "campaign.toml").write_text("# to be written\n", encoding="utf-8")
    assert main(["check", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert "says nothing, so everything has its default" in told.err and "nothing is wrong" not in told.out


def test_a_campaign_without_mistakes_is_said_to_be_one(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(write("budget = 3", "budget = 4"))]) == 0
    assert "nothing is wrong with it" in capsys.readouterr().out


def test_a_wrong_analysis_costs_no_specimen(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write("# end =", "threshold = 1\n# end =")
    assert main(["run", str(folder)]) == 2
    assert "no key of [analysis] called 'threshold'" in capsys.readouterr().err
    assert not list((folder / "artifacts").rglob("*.*")), "something was made"


@pytest.mark.parametrize("family", sorted(available_families()))
def test_the_examples_of_a_new_campaign_are_of_its_family(
    family: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", str(tmp_path), "--family", family]) == 0
    path = tmp_path / "campaign.toml"
    text = path.read_text(encoding="utf-8")
    for begin in ("fixed", "parameters.", "prior"):
        text = text.replace(f"# {begin}", begin, 1)
    assert "\nfixed = " in text and "\nparameters." in text
    assert ("\nprior = " in text) == (family == "crossed_barrel")
    path.write_text(text, encoding="utf-8")
    assert main(["check", str(tmp_path)]) == 0, capsys.readouterr().err


def test_what_to_type_next_can_be_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(tmp_path / "schäl 1")]) == 0
    assert "schäl 1'`" in capsys.readouterr().out.replace('"', "'")


def test_what_only_the_lab_knows_is_pointed_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "lab"
    options = ["--printer", "ender3", "--url", "COM3", "--frame", "watched_folder", "--scale", "sartorius"]
    assert main(["new", str(folder), *options]) == 0
    text = (folder / "campaign.toml").read_text(encoding="utf-8").splitlines()
    marked = [number for number, line in enumerate(text, start=1) if "TO FILL IN" in line]
    assert len(marked) == 2
    assert f"fill in line {', '.join(map(str, marked))}" in capsys.readouterr().out


def _watching(folder: Path, exported: str) -> None:
    """A campaign of real machines, whose frame's files are awaited in `exported`."""
    options = ["--printer", "ender3", "--url", "COM3", "--frame", "watched_folder"]
    assert main(["new", str(folder), *options]) == 0
    path = folder / "campaign.toml"
    text = path.read_text(encoding="utf-8")
    assert 'folder = "TO FILL IN"' in text
    path.write_text(text.replace('folder = "TO FILL IN"', f'folder = "{exported}"'), encoding="utf-8")


@pytest.mark.parametrize("command", ["check", "run"])
def test_what_was_not_filled_in_is_refused_wherever_it_is_looked_at(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "lab"
    _watching(folder, "TO FILL IN")
    (folder / "TO FILL IN").mkdir()
    lines = (folder / "campaign.toml").read_text(encoding="utf-8").splitlines()
    line = next(n for n, said in enumerate(lines, start=1) if "TO FILL IN" in said)
    for place, name in ((tmp_path, "lab"), (folder, ".")):
        monkeypatch.chdir(place)
        assert main([command, name, *(["--no-probe"] if command == "check" else [])]) == 2
        said = capsys.readouterr().err
        assert f"campaign.toml, line {line}: [frame] folder is still to be filled in" in said


@pytest.mark.parametrize("place", ["", "lab", "elsewhere"])
def test_a_relative_folder_begins_beside_campaign_toml(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "lab"
    _watching(folder, "../from the press")
    (tmp_path / "elsewhere" / "from the press").mkdir(parents=True)
    (tmp_path / place).mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / place)
    assert main(["check", str(folder), "--no-probe"]) == 2
    assert f"folder = {str(tmp_path / 'from the press')!r} is no folder on this computer" in capsys.readouterr().err
    assert main(["run", str(folder), "--dry-run"]) != 0
    assert f"{tmp_path / 'from the press'} is not a folder" in capsys.readouterr().out
    (tmp_path / "from the press").mkdir()
    assert main(["check", str(folder), "--no-probe"]) == 0, capsys.readouterr().err


def test_the_folder_of_figures_is_not_watched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "lab"
    _watching(folder, "exports")
    (folder / "exports").mkdir()
    assert main(["check", str(folder), "--no-probe"]) == 2
    assert "is where this campaign's figures go" in capsys.readouterr().err


def test_a_profile_of_ones_own_goes_into_the_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["first-print", "mine", "--yes"]) == 0
    assert main(["new", "lab", "--printer", "printers/mine.toml", "--url", "COM3"]) == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["check", str(tmp_path / "lab"), "--no-probe"]) == 0


def test_an_unknown_printer_leads_to_the_wizard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(tmp_path / "lab"), "--printer", "mk4s"]) == 2
    assert "toughopt first-print" in capsys.readouterr().err
    assert not (tmp_path / "lab").exists()


def test_designs_of_many_parameters_leave_room_for_their_states(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shells"
    assert main(["new", str(folder), "--family", "cylindrical_shell"]) == 0
    assert main(["suggest", str(folder)]) == 0
    assert main(["fail", str(folder), "1", "--why", "it fell over at once"]) == 0
    capsys.readouterr()
    assert main(["status", str(folder)]) == 0
    assert "it fell over at once" in capsys.readouterr().out


def test_ports_of_other_pcs_are_not_opened_on_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from toughopt import printing
    from toughopt.campaign import PrinterConfig
    from toughopt.cli.checking import _probed

    opened: list[str] = []
    monkeypatch.setattr(printing, "scan_ports", lambda urls: opened.extend(urls) or [])
    far = PrinterConfig(name="left", url="/dev/ttyUSB0", agent="bench-2")
    assert _probed([far, PrinterConfig(name="right", url="/dev/ttyUSB1")]) == []
    assert opened == ["/dev/ttyUSB1"]

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from toughopt import Campaign, Curve
from toughopt.cli.setup import campaign_text
from toughopt.compression import write_csv
from toughopt.errors import InputError
from toughopt.report import make_report, methods_paragraph, write_report


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Nine results told by hand, the last a curve, and one failure; its name and a note hold markup."""
    folder = tmp_path_factory.mktemp("report")
    x = np.linspace(0.0, 6.0, 300)
    write_csv(Curve(displacement_mm=x, force_n=np.clip(x - 1.0, 0.0, None) * 80.0), folder / "curve.csv")
    text = campaign_text(name="<b>bold</b> & <script>alert(1)</script>", budget=12)
    made = Campaign.create(folder / "campaign", text)
    for number in range(9):
        (entry,) = made.suggest()
        if number == 8:
            made.tell(entry["id"], curve=folder / "curve.csv")
        else:
            design = entry["design"]
            made.tell(entry["id"], value=10.0 * float(design["t"]) + float(design["r"]), why="<i>weighed twice</i>")
    (entry,) = made.suggest()
    made.fail(entry["id"], why="<u>fell over</u>")
    return made


@pytest.fixture(scope="module")
def html(campaign: Campaign) -> str:
    return make_report(campaign.workspace)


class _References(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.names: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if (
                name in ("src", "href", "xlink:href", "action", "srcset")
                and value
                and not value.startswith(("#", "data:"))
            ):
                self.asked.append(f"{tag} {value}")
            if name == "id" and value:
                self.names[value] += 1


def test_the_file_needs_nothing_but_itself(html: str) -> None:
    found = _References()
    found.feed(html)
    assert found.asked == []
    assert "url(http" not in html and "@import" not in html and "<script" not in html


def test_figures_inside_are_sound_and_share_no_names(html: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(pictures) == 10  # the best was told as a value, and nothing was printed
    names: Counter[str] = Counter()
    for picture in pictures:
        tree = ET.fromstring(picture)
        mine = {element.get("id") for element in tree.iter() if element.get("id")}
        names.update(mine)
        for target in re.findall(r'xlink:href="#([^"]+)"|url\(#([^)]+)\)', picture):
            assert (target[0] or target[1]) in mine
    assert max(names.values()) == 1


def test_markup_from_people_is_text(html: str) -> None:
    for evil in ("<b>bold", "<i>weighed", "<u>fell"):
        assert evil not in html
    assert "&lt;u&gt;fell over" in html


def test_it_tells_results_failures_people_and_provenance(campaign: Campaign, html: str) -> None:
    best = campaign.best
    assert best is not None and best.value is not None
    assert f"best test, experiment {best.id}" in html and f"{best.value:.4g}" in html
    assert "Was it worth it" in html and "random search" in html
    assert "toughopt" in html and "SHA-256" in html and campaign.workspace.versions["numpy"] in html
    assert len(re.findall(r"failed \(design\)", html)) == 1


def test_the_methods_paragraph_counts_what_was_done(campaign: Campaign) -> None:
    words = methods_paragraph(campaign.workspace, campaign.state)
    assert "crossed barrel" in words and "theta from 0 to 200 deg, r from 1.5 to 2.5 mm" in words
    assert "Held fixed were height = 20 mm, barrel_radius = 10 mm," in words and "senses = alternating" in words
    assert "5 designs were those of a Latin hypercube; 5 were chosen by Bayesian optimization" in words
    assert "10 experiments in all, 9 gave a result" in words and "1 experiment failed, 1 by fault" in words
    assert (
        "9 results were measured elsewhere and told, 1 as curve, counted up to a force of 5000 N and 8 as val" in words
    )
    assert "virtual press" not in words


def test_what_a_person_made_has_no_empty_figures_of_what_a_printer_makes(html: str) -> None:
    assert "no program yet" not in html and "nothing was weighed yet" not in html


def test_the_budget_is_the_one_that_holds(tmp_path: Path) -> None:
    with Campaign.create(tmp_path / "c", campaign_text(budget=25)) as told:
        told.request("budget", {"budget": 40})
        assert "of a budget of 40" in make_report(told.workspace)


def test_a_request_that_was_refused_is_told_as_refused(tmp_path: Path) -> None:
    with Campaign.create(tmp_path / "c", campaign_text()) as told:
        (entry,) = told.suggest()
        told.tell(entry["id"], value=4.0)
        with pytest.raises(InputError):
            told.tell(entry["id"], value=5.0)
        html = make_report(told.workspace)
    assert html.count("refused: experiment 1 is complete") == 1


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("default", "3 designs were those of a Latin hypercube (random seed 1); no model chose any of them."),
        ("random", "3 designs were drawn at random (random seed 1)."),
    ],
)
def test_the_methods_paragraph_claims_no_model_that_did_not_choose(tmp_path: Path, policy: str, words: str) -> None:
    with Campaign.create(tmp_path / "c", campaign_text(seed=1, policy=policy)) as early:
        early.suggest(3)
        told = methods_paragraph(early.workspace, early.state)
    assert words in told and "Bayesian" not in told


def test_the_same_journal_gives_the_same_report(campaign: Campaign, html: str) -> None:
    assert make_report(campaign.workspace) == html


def test_a_campaign_without_results_has_a_report_too(tmp_path: Path) -> None:
    with Campaign.create(tmp_path / "c", campaign_text()) as empty:
        write_report(empty.workspace, tmp_path / "out" / "report.html")
    assert "no result yet" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_told(campaign: Campaign, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        write_report(campaign.workspace, tmp_path / "file" / "report.html")

"""What holds for the pages without running anything: links, TOML, pictures, prose that names what exists."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest

from toughopt.campaign import CampaignConfig

ROOT = Path(__file__).parent.parent.parent
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def test_links_lead_to_files(pages: list[Path]) -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_toml_blocks_are_toml_and_their_tables_exist(blocks: list) -> None:  # type: ignore[type-arg]
    from toughopt.frames.kinds import FRAMES, HANDLERS, SCALES

    kinds = {"frame": FRAMES, "scale": SCALES, "handler": HANDLERS}
    for block in blocks:
        if block.language != "toml":
            continue
        said = tomllib.loads(block.text)
        for section, models in kinds.items():
            if section in said:
                models[said[section]["kind"]].model_validate(said[section])
        if not {"project", "extends"} & said.keys():
            assert said.keys() <= CampaignConfig.model_fields.keys(), block


def test_pictures_are_small(pages: list[Path]) -> None:
    large = [path.name for path in (ROOT / "docs").rglob("*.png") if path.stat().st_size > 200_000]
    assert not large


def test_every_page_is_in_the_site(pages: list[Path]) -> None:
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8")
    there = {page.relative_to(ROOT / "docs").as_posix() for page in pages if (ROOT / "docs") in page.parents}
    assert not {page for page in there if page not in navigation}


@pytest.mark.parametrize("word", ["TODO", "FIXME", "lorem"])
def test_no_page_is_unfinished(pages: list[Path], word: str) -> None:
    assert not [page.name for page in pages if word in page.read_text("utf-8")]


def test_tables_are_those_of_the_code(pages: list[Path]) -> None:
    hooks = runpy.run_path(str(ROOT / "docs" / "hooks.py"))
    stale = [
        page.name for page in pages if hooks["on_page_markdown"](page.read_text("utf-8")) != page.read_text("utf-8")
    ]
    assert not stale, "run `python docs/hooks.py`"

from __future__ import annotations

import pytest

from toughopt.campaign import CampaignConfig, changed_for_life, load_config, parse_config
from toughopt.errors import ConfigError


def test_an_empty_file_is_the_crossed_barrel_on_the_virtual_lab() -> None:
    config = parse_config("")
    assert config.family.name == "crossed_barrel"
    assert config.all_virtual
    assert config.discards_uncertain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budgt = 3", "line 1: budgt is not a key that a campaign knows; did you mean 'budget'?"),
        ('[family]\nname = "x"\nfixd = {}', "line 3: family.fixd .* did you mean 'fixed'"),
        ("\nseed = -1", "line 2: seed = -1: .*greater than or equal to 0"),
        ('[objective]\ngoal = "up"', "line 2: objective.goal = 'up': .*'max' or 'min'"),
        ('[[printers]]\nname = "a"\nprofil = "b"', "line 3: printers.0.profil .* did you mean 'profile'"),
        ('[[printers]]\nname = "a"\n[[printers]]\nname = "a"', "two printers are called a"),
        ("budget = ", "not valid TOML"),
        ("seed = 1\nseed = 2", "said twice"),
        ("[slicing]\noverrides = { layer_height_mm = 0,2 }", "the decimal mark is a point"),
        ("budget = 4\n[optimizer]\nfeatures = True", "line 3.*; true and false are written small"),
        ("[test]\nforce_limit_n = 5000,0", "line 2.*; the decimal mark is a point"),
        ("[test]\nforce_limit_n = 5 kN", "line 2.*; a number has no unit behind it"),
        ("[test]\nspeed_mm_per_min = 2.0 mm/min", "line 2.*; a number has no unit behind it"),
        ("[test]\nmass_tolerance = 20 %  # of the mass", "line 2.*; a number has no unit behind it"),
        ("name = mine", "line 1.*; text stands in quotes"),
        ('[frame]\nfolder = "C:\\Users\\lab"', r"line 2.*; in double quotes a backslash .* write C:/data"),
        ('[objective]\nname = "toughness"', "line 2: .*; did you mean 'toughness_j'"),
        ('[objective.against]\nname = "mass_g"', r"line 1: .*write \[\[objective.against\]\]"),
        ('[[printers]]\nname = "a"\nurl = "COM3"', "a virtual one cannot hold a real specimen"),
    ],
)
def test_a_wrong_file_is_told_with_its_line_key_value_and_remedy(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_config(text)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config("budget = 0\nseed = -1")
    assert "budget" in str(caught.value) and "seed" in str(caught.value)


def test_a_missing_file_says_how_to_make_one(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError, match="toughopt new"):
        load_config(tmp_path / "campaign.toml")


def test_only_family_and_objective_are_fixed_for_life() -> None:
    before = CampaignConfig().model_dump(mode="json")
    assert changed_for_life(before, parse_config("budget = 99\nseed = 4")) == []
    assert changed_for_life(before, parse_config('[objective]\nname = "peak_force_n"')) == ["objective"]


def test_real_devices_never_discard_what_is_uncertain_by_themselves() -> None:
    text = '[[printers]]\nname = "a"\nurl = "COM3"\n'
    text += "\n".join(f'[{device}]\nkind = "operator"' for device in ("scale", "frame", "handler"))
    assert not parse_config(text).discards_uncertain
    assert parse_config(text + '\n[recovery]\nuncertain = "discard"').discards_uncertain

from __future__ import annotations

import json

from toughopt.compression import analyze_file, as_json

KEYS = [
    "file", "specimen", "toughness_j", "peak_force_n", "stiffness_n_per_mm", "max_displacement_mm",
    "specific_energy_j_per_g",
    "energy_absorbing_efficiency", "densification_strain", "warnings",
]  # fmt: skip


def test_one_entry_a_specimen_with_the_stable_keys_first(layouts, tmp_path):
    path = tmp_path / "two.csv"
    path.write_bytes(layouts.trapezium_polish(layouts.crush()))
    entries = as_json(analyze_file(path, height_mm=12.0, mass_g=2.0))
    assert [entry["specimen"] for entry in entries] == ["1 _ 1", "1 _ 2"]
    for entry in entries:
        assert list(entry)[: len(KEYS)] == KEYS
        assert entry["file"] == str(path)
        assert entry["specific_energy_j_per_g"] == entry["toughness_j"] / 2.0
    assert json.loads(json.dumps(entries, allow_nan=False)) == entries


def test_a_rejected_test_has_no_toughness_but_its_extremes_and_its_code(layouts, tmp_path):
    path = tmp_path / "cut.csv"
    path.write_bytes(layouts.bluehill_bare(layouts.crush())[:-12])
    (entry,) = as_json(analyze_file(path))
    assert entry["toughness_j"] is None
    assert entry["verdict"] == "rejected"
    assert entry["peak_force_n"] > 1000
    assert any(text.startswith("TRUNCATED") for text in entry["warnings"])


def test_cycles_stand_inside_their_specimen(published):
    (entry,) = as_json(analyze_file(published / "mts793_mpt_compression_de_commadec.csv"))
    assert len(entry["cycles"]) == 4
    assert entry["cycles"][0]["toughness_j"] > 0
    assert entry["peak_force_n"] == max(cycle["peak_force_n"] for cycle in entry["cycles"])

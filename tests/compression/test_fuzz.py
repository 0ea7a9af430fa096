from __future__ import annotations


def test_damaged_files_never_give_a_wrong_number_in_silence(fuzz, layouts, makers):
    encodings = {name: layout.encoding for name, layout in makers.MAKERS.items()}
    tally = fuzz.run({**layouts.LAYOUTS, **makers.MAKERS}, layouts.crush, 250, 21, encodings)
    assert tally.failures == []
    assert sum(tally.outcomes.values()) == 250
    assert {result for _, result in tally.outcomes} >= {"error", "rejected", "told", "right"}


def test_a_file_cut_anywhere_is_told(fuzz, layouts):
    whole = layouts.bluehill_quoted(layouts.crush())
    reference = fuzz.analyze(fuzz.read_curves(whole)[0])
    for size in range(40, len(whole) - 1, 97):
        result, _, details = fuzz.outcome(fuzz.Damaged("cut", whole[:size]), reference)
        assert result in ("error", "rejected", "told"), details

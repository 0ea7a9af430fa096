"""The smallest campaign worth running, with parts of seconds: for rehearsals, measurements and tests."""

from __future__ import annotations

_TEXT = """\
name = "{name}"
seed = {seed}
budget = {budget}

[family]
name = "crossed_barrel"
fixed = {{ height = 6.0, platform_thickness = 0.6 }}
parameters.n = {{ high = 8 }}
parameters.r = {{ high = 2.0 }}
parameters.t = {{ high = 1.0 }}

[optimizer]
policy = "{policy}"
initial = {initial}
batch = {batch}
"""
_PRINTER = """
[[printers]]
name = "printer-{number}"
profile = "virtual_small"
"""


def small_campaign(
    *,
    name: str = "small",
    seed: int = 1,
    budget: int = 5,
    policy: str = "default",
    initial: int = 3,
    batch: int = 1,
    printers: int = 1,
) -> str:
    """campaign.toml of a crossed barrel 6 mm high in 0.3 mm layers: under 5,000 lines a program, seconds a specimen.

    Parameters
    ----------
    printers : how many virtual printers; 0 where the caller adds blocks of its own behind the text
    """
    text = _TEXT.format(name=name, seed=seed, budget=budget, policy=policy, initial=initial, batch=batch)
    return text + "".join(_PRINTER.format(number=number) for number in range(1, printers + 1))

"""One sentence for each key of campaign.toml and of a printer profile: for the schema and for the reference.

They stand here and not beside the fields, so that nothing has to be read or parsed when a campaign is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

CAMPAIGN: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "CampaignConfig": {
            "name": "What the campaign is called in tables, figures and reports.",
            "seed": "Of everything that is chosen by chance.",
            "budget": "Experiments in all, until `run --budget` or `ctl budget` says otherwise.",
            "family": "Which structure is varied, within which limits. Cannot change once the campaign runs.",
            "objective": "What is optimized. Cannot change once the campaign runs.",
            "optimizer": "How designs are chosen.",
            "slicing": "How a solid becomes lines.",
            "printers": "The printers of the lab, one block each.",
            "scale": "What weighs a specimen.",
            "frame": "What crushes it.",
            "handler": "Who carries specimens and clears beds.",
            "test": "How a specimen is crushed.",
            "curve_file": "What the test machine's files leave open; what is not given is found out from each file.",
            "analysis": "How a curve becomes a toughness; any key of `toughopt.compression.AnalysisSettings`.",
            "fleet": "How the machines are kept busy.",
            "mass_control": "Whether each printer's flow follows what its parts weighed.",
            "notify": "Where messages go to people who are not there.",
            "recovery": "What happens to work that a crash or a fault interrupted.",
            "stopping": "When the loop ends before its budget does.",
            "store": "Where the journal is.",
        },
        "FamilyConfig": {
            "name": "One that `toughopt families` lists.",
            "fixed": "Values that all designs share; a pair [low, high] frees a parameter that is fixed by default.",
            "parameters": "Narrower limits for parameters of the family, one table each.",
        },
        "ParameterConfig": {
            "low": "Smallest value that may be chosen.",
            "high": "Largest value that may be chosen.",
            "step": "Distance between the values that may be chosen, counted from low.",
            "values": "The only values that may be chosen.",
        },
        "ObjectiveConfig": {
            "name": "Which figure of a test is optimized.",
            "goal": "Whether more or less of it is better.",
            "reference": "With `against`: the value that is barely of interest; else the worst tested or predicted.",
            "against": "Further objectives that it is weighed against, one [[objective.against]] block each.",
            "too_strong": "How one too strong for the force limit counts: by the energy below it, or as a lower bound.",
        },
        "AgainstConfig": {
            "name": "Any figure of a test, or mass_g (as designed), print_time_s (as planned), filament_g.",
            "goal": "Whether more or less of it is better.",
            "reference": "The value that is barely of interest: what is worse counts for nothing.",
        },
        "OptimizerConfig": {
            "policy": "`default`, `bear2020`, `mamabear`, `random`, ... or one of another package.",
            "initial": "Designs spread over the space before a model chooses.",
            "batch": "Designs chosen at once.",
            "lookahead": "Designs built and sliced while others print; 0 waits for each result.",
            "features": "Whether the model is told what the family knows of a design before it is printed.",
            "learn_from": "Folders of earlier campaigns whose results shape what the model expects.",
            "context": "What else the model is told of a test: which printer made it.",
            "prior": "What the model expects beforehand: nothing, or what a simulation of the press gives.",
            "settings": "Settings of the policy that differ from its defaults.",
        },
        "SlicingConfig": {
            "slicer": "Which slicer; prusaslicer must be installed.",
            "overrides": "What is otherwise than the printer profile's [slicing] says.",
        },
        "PrinterConfig": {
            "name": "What it is called in this campaign; also the name for `ctl enable` and `ctl disable`.",
            "profile": "A profile that `toughopt printers` lists, or one in a folder `printers/` beside campaign.toml.",
            "url": "Where it is: COM3, /dev/ttyUSB0, socket://host:port, octoprint+http://host, moonraker+http://host:port,"
            " or virtual.",
            "agent": "The PC that serves it, as `toughopt agent` names it; without it, the conductor's own.",
            "clock": "Of a virtual printer: max (as fast as it goes), real, or a factor.",
            "faults": "Of a virtual printer: faults to inject, as `virtual-printer --fault` takes them.",
        },
        "DeviceConfig": {"kind": "What it is; the other keys depend on it."},
        "TestConfig": {
            "force_limit_n": "Force at which a test ends, N.",
            "travel_mm": "Longest way of the crosshead after contact, mm; if not given, nine tenths of the height.",
            "speed_mm_per_min": "Speed of the crosshead.",
            "timeout_s": "How long a test may take until it counts as lost.",
            "mass_tolerance": "Share by which a weighed part may differ from its program untold; 0: never told.",
        },
        "CurveFileConfig": {
            "reader": "Whose files they are, as `analyze --reader` takes it; by default told by what a file holds.",
            "columns": "Which column is force, displacement and time: its name, or its number counted from 0.",
            "decimal": "The decimal mark.",
            "separator": "What stands between columns; one character.",
            "encoding": "Of the text, e.g. cp1250.",
            "force_unit": "N, kN, lbf, ... whatever the file says.",
            "displacement_unit": "mm, in, ... whatever the file says.",
            "time_unit": "s, min, ... whatever the file says.",
        },
        "RecoveryConfig": {
            "uncertain": "Work that may or may not have been done: ask a person, or discard it (as virtual labs do).",
            "retries": "How often the lab may fail a design before it is given up.",
            "failures_to_disable": "Failures in a row after which a printer gets no more work.",
        },
        "FleetConfig": {
            "priority": "What the hands do first where both wait: free printers, feed the press, or by turns.",
            "workers": "Processes that build and slice; 0: the loop's own.",
        },
        "NotifyConfig": {
            "url": "Address to which each message is posted.",
            "format": "How it is written.",
            "on": "What is worth a message.",
        },
        "MassControlConfig": {"enabled": "On or off."},
        "StoppingConfig": {
            "target": "Value of the objective at which the campaign may stop.",
            "target_confidence": "Probability, by the model, with which the best design must reach the target.",
            "smallest_gain": "Expected gain of the most promising test, in the objective's units, that is too small.",
            "interval": "Width of the best design's 95 % interval, in the objective's units, that is narrow enough.",
            "fewest": "Results before `smallest_gain` and `interval` are looked at.",
            "hours": "Hours after the first proposal at which nothing new is started.",
        },
        "StoreConfig": {"url": "postgresql://... for several PCs; without it journal.sqlite in the campaign's folder."},
    }
)

PROFILE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "PrinterProfile": {
            "name": "What the profile is called; the name of its file if not given.",
            "title": "The machine, for people.",
            "firmware": "What runs on it, or the name of another package's entry point.",
            "templates": "Folder of `gcode_templates/` with the programs' start and end.",
            "end": "Template that ends a program: park and cool, heat the bed to release the part, or cool and wait.",
            "gantry": "How the motors are coupled.",
            "bed": "What can be printed on, and how high.",
            "nozzles": "One block a nozzle, counted from 0.",
            "tool": "Which nozzle prints.",
            "filament": "What is fed to it, and how hot.",
            "motion": "What the firmware allows (M503 tells); used for time estimates and checks.",
            "speeds": "How fast each kind of line is printed, mm/s.",
            "slicing": "How a solid becomes lines.",
            "serial": "The line to the machine.",
            "limits": "What the host never sends, whatever a program says.",
            "fan_off_at_end": "Whether the end of a program switches the part fan off.",
        },
        "Bed": {
            "shape": "Outline of the bed.",
            "size_mm": "Width and depth; of a circle, its diameter twice.",
            "origin": "Where x = y = 0 is.",
            "height_mm": "Largest height of a part.",
            "margin_mm": "How far beyond the bed the head may go, on every side.",
        },
        "Nozzle": {
            "diameter_mm": "Diameter of the hole.",
            "line_width_min_mm": "Narrowest line that it prints well.",
            "line_width_mm": "Usual width of a line.",
            "line_width_max_mm": "Widest line that it prints well.",
        },
        "Filament": {
            "material": "What it is; written into programs.",
            "diameter_mm": "Diameter of the filament.",
            "density_g_per_cm3": "Density, for masses.",
            "flow": "Extrusion multiplier; what mass control adjusts.",
            "nozzle_c": "Temperature of the nozzle, deg C.",
            "first_layer_nozzle_c": "The same in the first layer.",
            "bed_c": "Temperature of the bed, deg C; 0 where it is not heated.",
            "release_bed_c": "Bed temperature at which parts come off.",
        },
        "Motion": {
            "max_speed_mm_s": "x, y, z, e.",
            "max_acceleration_mm_s2": "x, y, z, e.",
            "print_acceleration_mm_s2": "While printing.",
            "travel_acceleration_mm_s2": "While travelling.",
            "retract_acceleration_mm_s2": "While retracting.",
            "junction_deviation_mm": "How corners are rounded in the speed plan, where classic jerk is not used.",
            "jerk_mm_s": "x, y, z, e, where the firmware uses classic jerk.",
        },
        "Speeds": {
            "external_perimeter": "Outermost lines.",
            "perimeter": "Lines beside them.",
            "solid_infill": "Straight lines of a full layer.",
            "gap_fill": "Lines that close narrow gaps.",
            "bridge": "Lines over air between two supports.",
            "overhang": "Lines that lie on less than half of their width.",
            "first_layer": "All lines of the first layer.",
            "travel": "Moves that print nothing.",
            "retract": "Filament.",
        },
        "SliceSettings": {
            "mode": "Solid parts, or a spiral vase: the single wall around a solid.",
            "layer_height_mm": "Height of a layer.",
            "first_layer_height_mm": "Height of the first.",
            "perimeters": "Loops beside a solid fill; thinner walls take as many as fit.",
            "vase_bottom_layers": "Solid layers under a spiral vase.",
            "infill_angle_deg": "Direction of the first filled layer; the next is turned by 90 degrees.",
            "seam": "Where a loop begins.",
            "tolerance_mm": "How far lines may leave the true outline.",
            "retract_mm": "How much filament is pulled back before a travel.",
            "retract_above_mm": "Shortest travel before which it is.",
            "skirt_loops": "Loops around the part in the first layer, not touching it.",
            "skirt_distance_mm": "How far they are from it.",
            "brim_mm": "Width of the loops that hold the first layer down.",
            "minimum_layer_time_s": "A layer that would take less is slowed down.",
            "minimum_speed_mm_s": "But not below this.",
            "fan": "Part fan, 0 to 1.",
            "fan_from_layer": "First layer with the fan on, counted from 1.",
        },
        "Serial": {
            "baud": "Bits a second.",
            "reset_on_connect": "Whether opening the line resets the board.",
            "banner_timeout_s": "How long the board may take to say that it is there.",
            "rx_buffer_bytes": "Size of the firmware's receive buffer.",
            "buffer_lines": "Lines that the firmware's queue holds.",
        },
        "Limits": {
            "max_nozzle_c": "No nozzle is heated above it.",
            "max_bed_c": "No bed is heated above it.",
            "min_extrude_c": "Nothing is extruded below it.",
            "home_first": "Whether a program must home before it moves.",
            "longest_pause_s": "Longest dwell that a program may ask for, and longest pause before a print is ended.",
            "heating_timeout_s": "How long heating may take until it counts as a fault.",
        },
    }
)


def described(schema: dict[str, Any], texts: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The JSON schema of pydantic with the sentence of each key in its place; `schema` itself is left alone."""
    made = dict(schema)
    models = {str(schema.get("title", "")): schema, **schema.get("$defs", {})}
    told = {name: _with_texts(model, texts.get(name, {})) for name, model in models.items()}
    made |= told.pop(str(schema.get("title", "")))
    if told:
        made["$defs"] = told
    return made


def _with_texts(model: dict[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    if "properties" not in model:
        return model
    properties = {
        key: {**value, "description": texts[key]} if key in texts else value
        for key, value in model["properties"].items()
    }
    return {**model, "properties": properties}

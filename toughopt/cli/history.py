"""What was logged: backtest, replay, export."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from toughopt.cli.output import (
    campaign_argument,
    design_text,
    json_option,
    number,
    say,
    show_json,
    table,
    write_bytes_whole,
    write_text_whole,
)

if TYPE_CHECKING:
    from toughopt.journal import State
    from toughopt.optimizer import Space
    from toughopt.replay import Pool


_INITIAL, _BUDGET = 5, 100


@click.command()
@click.argument("data", metavar="DATA.csv|DIR", type=click.Path(path_type=Path, exists=True))
@click.option("--objective", help="Column of the measured value; of a campaign, its own objective or a figure.")
@click.option("--policy", "policies", multiple=True, help="As often as wanted (default: default and random).")
@click.option(
    "--parameters", help="Columns that make a design, separated by commas (default: those of an export, or all others)."
)
@click.option("--initial", type=click.IntRange(min=1), help="Random tests at first (default: 5).")
@click.option("--budget", type=click.IntRange(min=1), help="Tests in all (default: 100, or as many as designs).")
@click.option("--target", type=float, help="Say how many tests it took to a design whose true mean is this good.")
@click.option("--batch", default=1, show_default=True, type=click.IntRange(min=1), help="Tests chosen at once.")
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(min=1), help="How many repetitions.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="The first of them.")
@click.option(
    "--observe",
    type=click.Choice(["replicate", "mean"]),
    default="replicate",
    show_default=True,
    help="What a test tells: one recorded replicate at random, or the mean of them all.",
)
@click.option("--retest", is_flag=True, help="Let a design be tested again.")
@click.option("--minimize", is_flag=True, help="Smaller values are better.")
@click.option("--emulate", is_flag=True, help="Play on a model fitted to all data, with its noise, and say its error.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes (default: one a core).")
@click.option("--dask", metavar="URL", help="Use the workers of this Dask scheduler, e.g. tcp://host:8786.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Picture to write.")
@json_option
def backtest_command(
    data: Path,
    objective: str | None,
    policies: tuple[str, ...],
    parameters: str | None,
    initial: int | None,
    budget: int | None,
    target: float | None,
    batch: int,
    seeds: int,
    seed: int,
    observe: Literal["replicate", "mean"],
    retest: bool,
    minimize: bool,
    emulate: bool,
    workers: int | None,
    dask: str | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """What other policies would have found on a table or a logged campaign."""
    from dataclasses import asdict

    from rich.console import Console
    from rich.progress import Progress

    from toughopt.replay import Rules, emulated, play_all, report

    if dask is not None and "://" not in dask:
        raise click.BadParameter(
            f"{dask!r} is not the address of a scheduler, such as tcp://host:8786", param_hint="--dask"
        )
    pool, space = _pool(data, objective, parameters, minimize)
    validation = None
    if emulate:
        pool, validation = emulated(pool, space)
        say(
            f"the model's error in cross-validation is {number(validation.rmse)} ({validation.explained:.0%} of the "
            f"variance explained; {validation.coverage:.0%} of the designs inside their 95 % intervals)"
        )
    names = tuple(dict.fromkeys(policies or ("default", "random")))
    budget = budget or (_BUDGET if retest else min(_BUDGET, len(pool.designs)))
    initial = initial or min(_INITIAL, budget)
    rules = Rules(initial=initial, budget=budget, batch=batch, observe=observe, retest=retest)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("playing", total=len(names) * seeds)
        games = play_all(
            pool,
            names,
            range(seed, seed + seeds),
            rules,
            workers=workers,
            dask=dask,
            on_game=lambda game: progress.advance(task),
        )
    answer = report(pool, games, target)
    if validation is not None:
        answer["emulator"] = asdict(validation)
    if plot is not None:
        from toughopt.plots import backtest_figure, save_figure_to
        from toughopt.replay import top_share

        shares = {name: top_share(pool, played) for name, played in games.items()}
        save_figure_to(backtest_figure(pool, games, shares), plot)
    if as_json:
        show_json(answer)
        return
    rows = []
    for name, found in answer["policies"].items():
        needed = [found["tests_to_top_1_percent"], *([] if target is None else [found["tests_to_target"]])]
        last = [best[-1] for best in found["best_so_far"]]
        counts = [
            text
            for each in needed
            for text in (_tests(each["value"]), f"{_tests(each['low'])} to {_tests(each['high'])}")
        ]
        top = found["top_5_percent_found"].values()
        rows.append([name, *counts, *top, sum(last) / len(last), found["ask_seconds"]["median"]])
    goals = ["top 1 %", *([] if target is None else [number(target)])]
    tops = [f"top 5 % in {count}" for count in next(iter(answer["policies"].values()))["top_5_percent_found"]]
    columns = [
        *("policy", *(text for goal in goals for text in (f"tests to {goal}", "95 % interval"))),
        *(*tops, f"best {pool.objective}", "s a choice"),
    ]
    for pair in answer["paired"]:
        gap = pair["difference"]
        chance = "" if pair["p_value"] is None else f", p = {pair['p_value']:.2g}"
        say(
            f"{pair['first']} against {pair['second']}: {number(gap['value'])} ({number(gap['low'])} to "
            f"{number(gap['high'])}) better over all tests{chance}; better at the end in {pair['wins']} seeds, "
            f"worse in {pair['losses']}"
        )
    table(f"{len(pool.designs)} designs, {budget} tests, {seeds} seeds", columns, rows)


def _tests(count: float | None) -> str:
    return "never" if count is None else number(count)


def _pool(data: Path, objective: str | None, parameters: str | None, minimize: bool) -> tuple[Pool, Space | None]:
    """What was measured, and the space that it is from where that is known."""
    from toughopt.replay import read_table

    names = [name.strip() for name in parameters.split(",")] if parameters else None
    if data.is_file():
        if objective is None:
            raise click.UsageError("--objective COLUMN says which column of the table was measured")
        return read_table(data, objective, parameters=names, minimize=minimize), None
    return _campaign_pool(data, objective, names, minimize)


def _campaign_pool(
    folder: Path, objective: str | None, names: list[str] | None, minimize: bool
) -> tuple[Pool, Space | None]:
    """The same of a campaign: by its own objective, or by another figure of its tests."""
    from toughopt.errors import UnknownName
    from toughopt.loop import Campaign
    from toughopt.replay import pooled

    with Campaign.open(folder) as campaign:
        chooser, own = campaign.workspace.chooser, campaign.workspace.config.objective
        wanted = objective or own.name
        tested = [e for e in campaign.state.complete if not e.excluded]
        values = [e.value if wanted == own.name else e.result.get(wanted) for e in tested]
    if wanted != own.name and not any(isinstance(value, int | float) for value in values):
        raise UnknownName(
            f"figure of {folder}", wanted, sorted({own.name, *(name for e in tested for name in e.result)})
        )
    for name in names or ():
        if name not in chooser.parameters:
            raise UnknownName(f"parameter of {folder}", name, chooser.parameters)
    kept = names or chooser.parameters
    done = [
        ({name: e.design[name] for name in kept}, float(value))
        for e, value in zip(tested, values, strict=True)
        if isinstance(value, int | float)
    ]
    smaller = minimize or (wanted == own.name and own.goal == "min")
    pool = pooled([design for design, _ in done], [value for _, value in done], wanted, minimize=smaller)
    return pool, chooser.space if names is None else None


@click.command()
@campaign_argument
@click.option("--from", "first", default=1, show_default=True, type=click.IntRange(min=1), help="First experiment.")
@click.option("--until", type=click.IntRange(min=1), help="Last experiment.")
@click.option("--sample", type=click.IntRange(min=1), help="Derive only so many decisions, spread evenly.")
@click.option("--animate", type=click.Path(path_type=Path, dir_okay=False), help="GIF of the results coming in.")
@json_option
def replay_command(
    folder: Path, first: int, until: int | None, sample: int | None, animate: Path | None, as_json: bool
) -> int:
    """Derive every decision of a logged campaign again, and say where one differs (exit code 1)."""
    from toughopt.loop import Campaign
    from toughopt.replay import replay, state_at

    with Campaign.open(folder) as campaign:
        _refuse_nothing(folder, len(campaign.state.experiments), first, until)
        found = replay(campaign.workspace, first=first, until=until, sample=sample)
        then = campaign.state if until is None else state_at(campaign.workspace, until)
        if animate is not None:
            from toughopt.cli.animation import animate as write_animation

            say(f"{animate}: {write_animation(campaign.workspace, animate, first, until)} pictures")
    best = then.best
    moment = {
        "complete": len(then.complete),
        "best": best and {"id": best.id, "design": best.design, "value": best.value},
    }
    if as_json:
        from dataclasses import asdict

        show_json({**asdict(found), "state": moment})
    else:
        for difference in found.differences[:1]:
            say(f"the first difference is the decision of experiment {difference.experiment_id}: {difference.cause}")
            say(f"  logged:  {'; '.join(map(design_text, difference.logged))}")
            say(f"  derived: {'; '.join(map(design_text, difference.derived))}")
        if until is not None:
            line = "" if best is None else f"; the best: {number(best.value)} at {design_text(best.design)}"
            click.echo(f"after experiment {until}: {len(then.complete)} results{line}")
        click.echo(f"{found.decisions} decisions derived again, {len(found.differences)} differ")
    return 1 if found.differences else 0


def _refuse_nothing(folder: Path, there_are: int, first: int, until: int | None) -> None:
    """Raises BadParameter where no experiment is from `first` on, or none up to `until`."""
    if first > max(there_are, 1):
        have = "1 experiment" if there_are == 1 else f"{there_are} experiments"
        raise click.BadParameter(f"{folder} has {have}; there is no number {first}", param_hint="--from")
    if until is not None and until < first:
        raise click.BadParameter(f"{until} is before --from {first}", param_hint="--until")


@click.command()
@campaign_argument
@click.option(
    "--format", "kind", type=click.Choice(["csv", "jsonl", "parquet", "zip"]), default="csv", show_default=True
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; - is standard output, for csv and jsonl.",
)
@click.option("--everything", is_flag=True, help="With zip: meshes and programs too, and not only the curves.")
@json_option
def export_command(folder: Path, kind: str, output: Path, everything: bool, as_json: bool) -> None:
    """One row an experiment: id, state, parameters, figures; or, as zip, all that there is to cite."""
    from toughopt.loop import Campaign

    piped = str(output) == "-"
    if piped and (as_json or kind not in ("csv", "jsonl")):
        other = "--json" if as_json else f"--format {kind}"
        raise click.UsageError(f"-o - writes csv or jsonl to standard output, which does not go with {other}")
    with Campaign.open(folder) as campaign:
        rows = experiment_rows(campaign.state)
        if kind == "zip":
            from toughopt.replay.citation import archive

            write_bytes_whole(output, archive(campaign.workspace, _as_csv(rows), everything=everything))
    if kind == "parquet":
        _write_parquet(rows, output)
    elif kind != "zip":
        text = _as_csv(rows) if kind == "csv" else "".join(json.dumps(row) + "\n" for row in rows)
        if piped:
            click.echo(text.encode(), nl=False)
            return
        write_text_whole(output, text)
    if as_json:
        show_json({"file": output, "format": kind, "rows": len(rows)})
    else:
        say(f"{output}: {len(rows)} experiment{'s' * (len(rows) != 1)}")


def _as_csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=_columns(rows), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def experiment_rows(state: State) -> list[dict[str, Any]]:
    """One flat record an experiment, oldest first."""
    rows = []
    for e in state.experiments.values():
        figures = {name: value for name, value in e.result.items() if isinstance(value, int | float | None)}
        row: dict[str, Any] = {"id": e.id, "state": str(e.stage), **e.design, **figures}
        row |= {"value": e.value, "censored": e.censored, "mass_g": e.mass_g, "printer": e.printer}
        row |= {
            "source": e.source,
            "retry_of": e.retry_of,
            "excluded": e.excluded,
            "blame": e.blame,
            "reason": e.reason,
        }
        row |= {"print_s": e.print_s, "program": e.program, "mesh": e.mesh, "curve": e.curve}
        row |= {f"{stage}_utc": time for stage, time in e.times.items()}
        rows.append(row)
    return rows


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row)) or ["id", "state"]


def _write_parquet(rows: list[dict[str, Any]], output: Path) -> None:
    from toughopt.errors import InputError

    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise InputError("Parquet needs pyarrow: pip install 'toughopt[parquet]', or export --format csv") from error
    columns = _columns(rows)
    data = pa.table({name: [row.get(name) for row in rows] for name in columns})
    sink = pa.BufferOutputStream()
    parquet.write_table(data, sink)
    write_bytes_whole(output, sink.getvalue().to_pybytes())

"""`toughopt monitor`: a campaign as a web page, and the operator's controls."""

from __future__ import annotations

from pathlib import Path

import click

from toughopt.cli.output import campaign_argument, say


@click.command()
@campaign_argument
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="0: any that is free.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to bind; only loopback reads without token."
)
@click.option("--name", "names", multiple=True, help="A further host name under which the page is reached.")
@click.option(
    "--compare", multiple=True, type=click.Path(path_type=Path, file_okay=False), help="Another campaign to show."
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keeps the operator's token (made where absent).",
)
def monitor_command(
    folder: Path, port: int, host: str, names: tuple[str, ...], compare: tuple[Path, ...], token_file: Path | None
) -> None:
    """Serve the campaign in DIR as a web page: figures, every experiment, the lab, and its controls.

    It binds to this machine only unless --host says otherwise. Reading is free on this machine; steering takes the
    operator's token, which is printed once. The page needs no internet.
    """
    from toughopt.errors import InputError

    try:
        from toughopt.monitor import serve
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn", "python_multipart"):
            raise
        raise InputError(f"the monitor needs {error.name}: pip install 'toughopt[monitor]'") from error
    from toughopt.plots import step_back

    step_back()
    token = _kept_token(token_file) if token_file is not None else None
    serve(folder, port=port, bind=host, compare=compare, operator_token=token, names=names, say=say)


def _kept_token(path: Path) -> str:
    """The token in a file, which only its owner can read; a new one where there is none."""
    import os

    from toughopt.errors import InputError
    from toughopt.monitor import new_token

    try:
        if path.exists():
            token = path.read_text(encoding="utf-8").strip()
            if len(token) < 16:
                raise InputError(f"{path} holds no token of 16 characters or more; remove it, and one is made")
            return token
        token = new_token()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(token + "\n")
        return token
    except OSError as error:
        raise InputError(f"{path} cannot be used: {error.strerror or error}") from error

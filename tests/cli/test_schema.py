"""The JSON schemas and the shell completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from toughopt.campaign import CampaignConfig
from toughopt.cli import keys, main
from toughopt.cli.schema import schema_of
from toughopt.profiles import PrinterProfile


@pytest.mark.parametrize("kind", ["campaign", "printer"])
def test_every_key_is_described(kind: str) -> None:
    schema = schema_of(kind)
    for name, model in {"": schema, **schema["$defs"]}.items():
        for key, value in model.get("properties", {}).items():
            assert value.get("description"), f"toughopt/cli/keys.py says nothing of {name}.{key}"


@pytest.mark.parametrize(("model", "texts"), [(CampaignConfig, keys.CAMPAIGN), (PrinterProfile, keys.PROFILE)])
def test_nothing_is_described_that_is_not_there(model: type, texts: dict[str, dict[str, str]]) -> None:
    schema = model.model_json_schema()
    models = {schema["title"]: schema, **schema["$defs"]}
    assert {(name, key) for name in texts for key in texts[name]} <= {
        (name, key) for name in models for key in models[name].get("properties", {})
    }


def test_schema_is_one_json_document_with_the_keys_that_are_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "printer"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["additionalProperties"] is False
    assert "extends" in schema["properties"] and "name" not in schema.get("required", [])
    assert "makergear_m3" in schema["properties"]["extends"]["description"]
    assert schema["$defs"]["Limits"]["properties"]["max_bed_c"]["exclusiveMinimum"] == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_toughopt(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "_TOUGHOPT_COMPLETE" in capsys.readouterr().out


def test_the_shell_is_told_the_commands_that_begin_so() -> None:
    environment = os.environ | {"_TOUGHOPT_COMPLETE": "bash_complete", "COMP_WORDS": "toughopt vi", "COMP_CWORD": "1"}
    code = "import sys; from toughopt.cli import main; sys.argv = ['toughopt']; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["plain,virtual-printer"], done.stderr

"""``lm_eval --model smidgen``: what Python reads at its start, and the harness as its users call it.

Every test starts a Python of its own, which reads src/ as it would read site-packages.
"""

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

from smidgen.evaluation.lm_eval.task import score_lm_eval_task
from smidgen.export.hugging_face import export_hugging_face

from ...export.tiny import ARITHMETIC, DIGITS, tiny_model

ROOT = Path(__file__).parents[3]
START_UP = f"import site, sys; site.addsitedir({str(ROOT / 'src')!r}); "
HARNESS = START_UP + "from lm_eval.__main__ import cli_evaluate; cli_evaluate()"


def python(program: str, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, **options)


def test_starting_python_loads_one_small_module():
    listed = "before = set(sys.modules); " + START_UP + "print(sorted(set(sys.modules) - before))"
    # -S: without the packages of this environment, where we may be installed and so loaded before.
    command = [sys.executable, "-S", "-c", "import site, sys; " + listed]
    result = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert (result.stdout.strip(), result.stderr) == ("['smidgen_lm_eval']", "")


def test_an_installed_smidgen_is_loaded_at_the_start():
    installed = distribution("smidgen").files or []
    if not any(file.name == "smidgen_lm_eval.pth" for file in installed):
        pytest.skip("installed before the start-up line existed")
    result = python("import sys; print('smidgen_lm_eval' in sys.modules, 'torch' in sys.modules)")
    assert result.stdout.split() == ["True", "False"]


def test_the_harness_knows_our_model_beside_its_own():
    asked = "from lm_eval.api.registry import get_model, model_registry; "
    result = python(START_UP + asked + "print(get_model('smidgen').__name__, 'hf' in model_registry)")
    assert result.stdout.split() == ["SmidgenLM", "True"], result.stderr


def test_other_imports_find_what_they_did_and_the_finder_leaves_after_its_work():
    program = "import lm_eval.models; import colorsys; print(any('smidgen' in str(f) for f in sys.meta_path))"
    result = python(START_UP + program)
    assert (result.stdout.strip(), result.returncode) == ("False", 0), result.stderr


@pytest.mark.parametrize("registry", ["raise RuntimeError", "model_registry = None"])
def test_a_harness_that_has_changed_still_starts(tmp_path, registry):
    for name in ("lm_eval", "lm_eval/api", "lm_eval/models"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / "lm_eval/api/registry.py").write_text(registry)
    result = python(f"{START_UP}sys.path.insert(0, {str(tmp_path)!r}); import lm_eval.models; print('started')")
    assert (result.stdout.strip(), result.stderr) == ("started", "")


def test_the_wheel_holds_the_module_and_the_line_that_imports_it():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "src/smidgen_lm_eval.py" in wheel["packages"]
    assert wheel["force-include"]["src/smidgen_lm_eval.pth"] == "smidgen_lm_eval.pth"
    assert (ROOT / "src/smidgen_lm_eval.pth").read_text() == "import smidgen_lm_eval\n"


@pytest.mark.soak  # over a minute; tests/export/test_lm_eval.py asks the harness itself, in this process
def test_the_harness_scores_an_exported_folder_as_we_do(tmp_path, manager):
    model = tiny_model(ARITHMETIC, context_length=64, xsa=True, **DIGITS)
    export_hugging_face(model, tmp_path / "model", check=False)
    task = manager.task_index["generated_choice"].yaml_path
    result = python(
        HARNESS,
        *("--model", "smidgen", "--model_args", f"pretrained={tmp_path / 'model'},max_length=64,precision=exact"),
        *("--tasks", str(task), "--limit", "30", "--output_path", str(tmp_path / "results")),
        env={**os.environ, "HF_DATASETS_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    [found] = (tmp_path / "results").rglob("results_*.json")
    theirs = json.loads(found.read_text())
    ours = score_lm_eval_task(model, "generated_choice", limit=30, manager=manager).scores["generated_choice"]
    assert theirs["results"]["generated_choice"]["acc,none"] == ours["acc"].value
    assert theirs["results"]["generated_choice"]["acc_norm,none"] == ours["acc_norm"].value
    assert theirs["config"]["model"] == "smidgen"

"""PyTorch takes seconds to import: what only plans, tokenises or reports must do without.

The import contracts forbid it in our files; here a fresh process shows that nothing else brings it in.
"""

import json
import subprocess
import sys

LIGHT_PACKAGES = [
    "smidgen.errors",
    "smidgen.recipes",
    "smidgen.records",
    "smidgen.design",
    "smidgen.tokenization",
    "smidgen.reports",
    "smidgen.model.config",
]
HEAVY = ["torch", "transformers", "scipy"]
# Not before a command is chosen.
SLOW_TO_IMPORT = [*HEAVY, "numpy", "pyarrow", "matplotlib"]

IMPORT_ALL = """
import importlib, json, pkgutil, sys

def everything_in(name):
    module = importlib.import_module(name)
    yield name
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), name + "."):
        importlib.import_module(found.name)
        yield found.name

imported = [name for start in sys.argv[1:] for name in everything_in(start)]
print(json.dumps({"imported": imported, "loaded": sorted(sys.modules)}))
"""

HELP = """
import json, runpy, sys

sys.argv = ["smidgen", "--help"]
code = None
try:
    runpy.run_module("smidgen", run_name="__main__", alter_sys=True)
except SystemExit as exit:
    code = exit.code
print(json.dumps({"code": code, "loaded": sorted(sys.modules)}))
"""


def last_line(program: str, *arguments: str) -> dict:
    """Run a program in a fresh process and read the JSON of its last line."""
    command = [sys.executable, "-c", program, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def heavy_ones(loaded: list[str], heavy: list[str] = HEAVY) -> list[str]:
    return [name for name in heavy if name in loaded]


def test_the_package_itself_is_light():
    loaded = last_line("import json, sys, smidgen; print(json.dumps({'loaded': sorted(sys.modules)}))")["loaded"]
    assert "smidgen" in loaded
    assert heavy_ones(loaded, SLOW_TO_IMPORT) == []


def test_planning_tokenising_and_reporting_load_no_torch():
    result = last_line(IMPORT_ALL, *LIGHT_PACKAGES)
    assert "smidgen.recipes.sampling" in result["imported"]
    assert heavy_ones(result["loaded"]) == [], (
        f"one of {result['imported']} loads it; `python -X importtime -c 'import ...'` shows which"
    )


def test_a_heavy_import_would_be_seen():
    assert heavy_ones(last_line(IMPORT_ALL, "smidgen.model")["loaded"]) == ["torch"]


def test_help_loads_nothing_heavy():
    result = last_line(HELP)
    assert result["code"] in (0, None)
    assert heavy_ones(result["loaded"], SLOW_TO_IMPORT) == []

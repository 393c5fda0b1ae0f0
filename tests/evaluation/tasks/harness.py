"""Tasks of lm-evaluation-harness, made of its own definitions, that read documents from a file here."""

import json
import warnings
from pathlib import Path
from typing import Any

DEFINITIONS = {
    "hellaswag": "hellaswag/hellaswag",
    "arc_easy": "arc/arc_easy",
    "arc_challenge": "arc/arc_challenge",
    "piqa": "piqa/piqa",
    "blimp": "blimp/{part}",
    "wikitext": "wikitext/wikitext",
    "lambada_openai": "lambada/lambada_openai",
    "boolq": "super_glue/boolq/default",
    "copa": "super_glue/copa/default",
    "winogrande": "winogrande/default",
    "truthfulqa_mc2": "truthfulqa/truthfulqa_mc2",
    "openbookqa": "openbookqa/openbookqa",
    "swag": "swag/swag",
    "mmlu": "mmlu/default/mmlu_{part}",
    "race": "race/race",
    "sciq": "sciq/sciq",
    "commonsense_qa": "commonsense_qa/default",
}


def definition(name: str, part: str = "") -> dict[str, Any]:
    """The harness's YAML of a task, or of its part (a BLiMP set, an MMLU subject)."""
    with warnings.catch_warnings():
        # The harness and what it imports have deprecations of their own.
        warnings.simplefilter("ignore")
        import lm_eval.tasks
        from lm_eval.tasks._yaml_loader import load_yaml

        folder = Path(lm_eval.tasks.__file__).parent
        return load_yaml(folder / f"{DEFINITIONS[name].format(part=part)}.yaml")


def split_of(config: dict[str, Any]) -> str:
    """The split that the harness scores."""
    return config.get("test_split") or config["validation_split"]


def harness_task(name: str, part: str, rows: list[dict[str, Any]], folder: Path):
    """The harness's task with ``rows`` as its documents."""
    config = definition(name, part)
    file = folder / f"{name}-{part}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    splits = {config.get(f"{use}_split") for use in ("training", "validation", "test", "fewshot")} - {None}
    config |= {
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": dict.fromkeys(splits, str(file)), "cache_dir": str(folder / "cache")},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lm_eval.api.task import ConfigurableTask

        return ConfigurableTask(config=config)


def asked_by_harness(task, document: dict[str, Any]) -> list[tuple[str, ...]]:
    """The arguments of every request that a document makes, zero-shot."""
    instances = task.construct_requests(document, task.fewshot_context(document, 0), metadata=("", 0, 1))
    return [instance.args for instance in (instances if isinstance(instances, list) else [instances])]


def accuracy_if_chosen(task, document: dict[str, Any], choices: int, chosen: int) -> float:
    """What the harness gives a model that is certain of one choice."""
    results = [(0.0 if place == chosen else -1000.0, False) for place in range(choices)]
    return float(task.process_results(document, results)["acc"])

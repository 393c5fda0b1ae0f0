"""A run folder with generated numbers of the right shape, as a finished quickstart would leave it.

``python tests/reports/conftest.py FOLDER`` writes one and its report, to be looked at.
"""

import hashlib
import json
import math
import random
import shutil
import sys
from pathlib import Path

import pytest

from smidgen.model.config import ModelConfig
from smidgen.recipes.evaluation import EvaluationSettings, Published, PublishedScore
from smidgen.recipes.mixture import CurriculumPoint, DataSettings, Source
from smidgen.recipes.ownership import claim
from smidgen.recipes.recipe import Recipe
from smidgen.recipes.sampling import SamplingSettings
from smidgen.recipes.training import TrainingSettings
from smidgen.records import atomic, measurements
from smidgen.records.run_folder import RunFolder

TOTAL_TOKENS = 9_830_400
BATCH_TOKENS = 8_192
STEPS = TOTAL_TOKENS // BATCH_TOKENS
SECONDS = 251.7

_PHENOMENA = {
    "subject-verb agreement": (0.874, 300),
    "determiner-noun agreement": (0.812, 300),
    "anaphor agreement": (0.527, 300),
    "word order": (0.971, 300),
    "argument structure": (0.633, 300),
    "negative polarity": (0.441, 300),
}


@pytest.fixture(scope="session")
def pattern_run(tmp_path_factory) -> RunFolder:
    """Built once, because writing so that a power cut does no harm takes time; copied for each test."""
    return build_run(tmp_path_factory.mktemp("pattern") / "run")


@pytest.fixture
def full_run(pattern_run, tmp_path) -> RunFolder:
    shutil.copytree(pattern_run.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


@pytest.fixture
def fresh_run(tmp_path):
    """A maker of finished runs whose recipes differ in the given fields."""
    return lambda **changes: build_run(tmp_path / "fresh", **changes)


@pytest.fixture
def edit():
    """Change the content of a JSON file in place."""

    def apply(path: Path, change) -> None:
        content = json.loads(path.read_text(encoding="utf-8"))
        change(content)
        path.write_text(json.dumps(content), encoding="utf-8")

    return apply


@pytest.fixture
def benchmarked(full_run, edit):
    """A run that was scored on real benchmarks, too, in a file of its own on the same weights."""
    edit(full_run.scores / "recipe.json", lambda stored: stored.update(weights_sha256="w"))
    atomic.write_json(full_run.scores / "benchmarks.json", _benchmark_scores())
    return full_run


def build_run(folder: Path, **changes) -> RunFolder:
    """A finished run; ``changes`` replace fields of the recipe."""
    run = RunFolder(folder)
    recipe = quickstart_recipe(**changes)
    claim(run, recipe)
    _write_design(run)
    _write_tokenizer(run)
    _write_data(run)
    _write_mixture(run, recipe)
    _write_measurements(run)
    _write_scores(run)
    _write_samples(run)
    _write_export(run)
    _write_manifest(run)
    return run


def quickstart_recipe(**changes) -> Recipe:
    fields = {
        "name": "quickstart",
        "description": "About one million parameters on built-in text: minutes on two cores.",
        "source": "GPT-S-5M card, scaled down",
        "inferred": ("training.weight_decay", "design.rope_theta"),
        "prompts": ("The", "12 + 7 ="),
        "design": ModelConfig(
            vocab_size=2048,
            hidden_size=128,
            num_layers=5,
            num_heads=4,
            num_kv_heads=2,
            intermediate_size=320,
            context_length=256,
            xsa=True,
        ),
        "data": DataSettings(
            sources={
                "text": Source(generator="installed-docs", purpose="technical English", license="as installed"),
                "arithmetic": Source(generator="arithmetic", purpose="integer equations"),
                "grammar": Source(generator="grammar", purpose="simple sentences"),
                "web": Source(hub="HuggingFaceFW/fineweb-edu", license="odc-by", purpose="educational web text"),
            },
            curriculum=(
                CurriculumPoint(at=0.0, weights={"text": 0.55, "arithmetic": 0.15, "grammar": 0.2, "web": 0.1}),
                CurriculumPoint(at=0.6, weights={"text": 0.45, "arithmetic": 0.25, "grammar": 0.2, "web": 0.1}),
                CurriculumPoint(at=1.0, weights={"text": 0.3, "arithmetic": 0.4, "grammar": 0.1, "web": 0.2}),
            ),
        ),
        "training": TrainingSettings(
            tokens=TOTAL_TOKENS,
            batch_tokens=BATCH_TOKENS,
            micro_batch_size=16,
            peak_learning_rate=3e-3,
            warmup_steps=60,
            precision="fp32",
        ),
        "evaluation": EvaluationSettings(
            tasks=("bits-per-byte", "arithmark2-generated", "minimal-pairs", "hellaswag")
        ),
        "sampling": SamplingSettings(temperature=0.8, top_p=0.95),
        "published": Published(
            parameters=5_158_464,
            tokens=25_000_000_000,
            license="apache-2.0",
            scores=(
                PublishedScore(task="hellaswag", metric="acc_norm", value=27.39),
                PublishedScore(task="arc_easy", metric="acc_norm", value=33.16),
                PublishedScore(task="blimp", metric="acc", value=72.21),
            ),
        ),
    }
    return Recipe(**{**fields, **changes})


def _write_design(run: RunFolder) -> None:
    parts = {
        "embedding": 262_144,
        "attention": 245_760,
        "feed_forward": 614_400,
        "norms": 1_408,
        "features": 0,
        "biases": 0,
    }
    design = {
        "name": "quickstart",
        "parameters": {"total": sum(parts.values()), **parts},
        "flops_per_token": {"forward": 2_450_000, "training": 7_350_000},
        "memory": {
            "weights_bytes": 4_494_848,
            "gradients_bytes": 4_494_848,
            "optimizer_bytes": 8_989_696,
            "kv_cache_bytes_per_token": 2_560,
        },
        "findings": [
            {
                "code": "grouped-heads",
                "severity": "warning",
                "message": "Two query heads share each key-value head.",
                "evidence": "num_heads=4, num_kv_heads=2: saves 81,920 parameters, 7% of the total.",
                "suggestion": "Compare with num_kv_heads=4 and a feed-forward size of 277.",
            },
            {
                "code": "vocabulary-share",
                "severity": "note",
                "message": "The vocabulary takes 23% of the parameters.",
                "evidence": "2,048 x 128 tied embeddings.",
                "suggestion": "",
            },
        ],
    }
    atomic.write_json(run.design, design)


def _write_tokenizer(run: RunFolder) -> None:
    quality = {
        "vocab_size": 2048,
        "bytes_per_token": {"text": 3.127, "arithmetic": 1.214, "grammar": 3.88, "web": 3.02},
        "unused": 3,
        "rare": 41,
        "roundtrip_failures": 0,
        "longest_tokens": [
            " documentation",
            " implementation",
            "================",
            " multiplication",
            " corresponding",
        ],
    }
    atomic.write_json(run.tokenizer / "quality.json", quality)


def _write_data(run: RunFolder) -> None:
    counts = {
        "text": (9_120, 4_410_000, 0.441, {"too short": 812, "duplicate": 1_304}),
        "arithmetic": (60_000, 2_250_000, 0.2525, {}),
        "grammar": (24_000, 1_900_000, 0.18, {"duplicate": 77}),
        "web": (1_100, 260_000, 0.1265, {"too short": 4}),
    }
    origins = {
        "text": "built-in: installed-docs",
        "arithmetic": "built-in: arithmetic",
        "grammar": "built-in: grammar",
        "web": "HuggingFaceFW/fineweb-edu",
    }
    sources = {
        name: {
            "origin": origins[name],
            "documents": {"train": documents, "held_out": documents // 100, "left_out": 0},
            "train_tokens": tokens,
            "held_out_tokens": tokens // 100,
            "train_bytes": tokens * 3,
            "held_out_bytes": tokens * 3 // 100,
            "windows": tokens // 256,
            "planned_share": share,
            "epochs": share * TOTAL_TOKENS / tokens,
            "rejected": rejected,
        }
        for name, (documents, tokens, share, rejected) in counts.items()
    }
    warnings = ["web is repeated 4.8 times: give it a smaller weight or more text"]
    atomic.write_json(run.data / "index.json", {"sources": sources, "warnings": warnings})


def _write_mixture(run: RunFolder, recipe: Recipe) -> None:
    dice = random.Random(5)
    points = []
    for number in range(60):
        planned = recipe.data.shares_at((number + 0.5) / 60)
        noisy = {name: share * (1 + dice.gauss(0, 0.05)) for name, share in planned.items()}
        realised = {name: share / sum(noisy.values()) for name, share in noisy.items()}
        tokens = round((number + 1) / 60 * TOTAL_TOKENS)
        points.append({"tokens": tokens, "planned": planned, "realised": realised})
    atomic.write_json(run.path / "mixture.json", {"points": points})


def _write_measurements(run: RunFolder) -> None:
    dice = random.Random(11)
    measurements.append(run.measurements, measurements.EVENT, step=0, message="training on 2 CPU cores in fp32")
    for step in range(5, STEPS + 1, 5):
        progress = step / STEPS
        place = {"step": step, "tokens": step * BATCH_TOKENS, "seconds": SECONDS * progress}
        loss = 2.34 + 5.2 * math.exp(-progress * 28) + 1.25 * math.exp(-progress * 4.2) + dice.gauss(0, 0.035)
        rate = 3e-3 * min(1, step / 60) * min(1, (1 - progress) / 0.3)
        speed = TOTAL_TOKENS / SECONDS * (1 + dice.gauss(0, 0.02))
        measurements.append(
            run.measurements,
            measurements.TRAINING,
            **place,
            loss=loss,
            learning_rate=rate,
            gradient_norm=0.4,
            tokens_per_second=speed,
        )
        if step % 60 == 0:
            bits = 1.932 + (loss - 2.36) * 0.72 if step < STEPS else 1.934
            by_source = {"text": bits + 0.42, "arithmetic": bits - 0.61, "grammar": bits - 1.02, "web": bits + 0.55}
            measurements.append(
                run.measurements, measurements.HELD_OUT, **place, bits_per_byte=bits, by_source=by_source
            )


def _write_scores(run: RunFolder) -> None:
    scores = {
        "bits-per-byte": {"bits_per_byte": _bits(1.934, 0.021)},
        **{
            f"bits-per-byte/{name}": {"bits_per_byte": _bits(value, 0.03)}
            for name, value in (("text", 2.351), ("arithmetic", 1.327), ("grammar", 0.912), ("web", 2.484))
        },
        "arithmark2-generated": {"acc": _wilson(0.418, 1000, ties=2), "exact_match": _wilson(0.113, 1000)},
        **{
            f"arithmark2-generated/{name}": {"acc": _wilson(choice, n), "exact_match": _wilson(written, n)}
            for name, choice, written, n in (
                ("1 operator", 0.556, 0.21, 500),
                ("2 operators", 0.300, 0.02, 300),
                ("3 operators", 0.250, 0.01, 200),
            )
        },
        "minimal-pairs": {"acc": _wilson(0.7097, 1800)},
        **{f"minimal-pairs/{name}": {"acc": _wilson(value, n)} for name, (value, n) in _PHENOMENA.items()},
    }
    compressors = {"gzip": 2.713, "xz": 2.421}
    baselines = {
        "bits-per-byte": compressors,
        "bits-per-byte/text": {"gzip": 2.93, "xz": 2.64},
        "bits-per-byte/arithmetic": {"gzip": 2.71, "xz": 2.22},
        "bits-per-byte/grammar": {"gzip": 1.84, "xz": 1.41},
        "bits-per-byte/web": {"gzip": 3.11, "xz": 2.47},
        "arithmark2-generated": {"chance": 0.25, "longest": 0.271, "shortest": 0.238, "middle": 0.334},
        "minimal-pairs": {"chance": 0.5},
    }
    stored = {
        "model": "quickstart",
        "seconds": 38.2,
        "items_per_second": 118.4,
        "index": None,
        "scores": scores,
        "skipped": {"hellaswag": "no file hellaswag.jsonl in --eval-data"},
        "baselines": baselines,
    }
    atomic.write_json(run.scores / "recipe.json", stored)


def _benchmark_scores() -> dict:
    """BLiMP with more parts than can be read, ARC with three metrics, WikiText with large perplexities."""
    choice = {"value": 0.331, "low": 0.301, "high": 0.361, "n": 570, "ties": 4, "truncated": 9}
    words = {"value": 95_927.2, "low": 68_813.57, "high": 136_882.08, "n": 62}
    scores = {
        "blimp": {"acc": _wilson(0.71, 1340)},
        "blimp/binding": {"acc": _wilson(0.66, 140)},
        **{f"blimp/set {number}": {"acc": _wilson(0.6, 20)} for number in range(31)},
        "arc_easy": {"acc_norm": choice, "acc": {**choice, "value": 0.322}},
        "wikitext": {"word_perplexity": words, "byte_perplexity": {**words, "value": 8.54, "low": 8.2, "high": 8.9}},
    }
    return {
        "model": "quickstart",
        "weights_sha256": "w",
        "settings": {"precision": "fast", "max_length": 548, "limit": 570},
        "items_per_second": 204.0,
        "index": -0.52,
        "indices": {"intelligence_index": {"value": -0.52, "low": -3.1, "high": 2.06}},
        "scores": scores,
        "outer_groups": {"blimp": ["binding"]},
        "baselines": {"blimp": {"chance": 0.5}, "arc_easy": {"chance": 0.25}},
        "skipped": {"minimal-pairs": "left for another day", "piqa": "no file piqa.jsonl"},
        "warnings": ["blimp: 3 items ask what an earlier one asked"],
    }


def _bits(value: float, half: float) -> dict:
    return {"value": value, "low": value - half, "high": value + half, "n": 412, "ties": 0, "truncated": 0}


def _wilson(share: float, n: int, ties: int = 0) -> dict:
    z = 1.96
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return {"value": share, "low": centre - half, "high": centre + half, "n": n, "ties": ties, "truncated": 0}


def _write_samples(run: RunFolder) -> None:
    texts = (
        ("The", " function returns a new array of the same shape, with the values of the input.\n\nParameters\n"
         "----------\naxis : int, optional\n    The axis along which the mean is computed.", "length", False),
        ("12 + 7 =", " 19", "stop", False),
        ("The farmers near the old bridge", " watch the small dogs that the teacher has seen.", "stop", False),
        ("Once upon a time", ", the value of the value of the value of the value of the value of the value of the "
         "value of the value", "length", True),
    )  # fmt: skip
    samples = [
        {"prompt": prompt, "text": text, "finish_reason": reason, "tokens": 1 + len(text) // 3, "loop": loop}
        for prompt, text, reason, loop in texts
    ]
    settings = {
        "temperature": 0.8,
        "top_k": 0,
        "top_p": 0.95,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "no_repeat_ngram_size": 0,
        "max_new_tokens": 64,
        "seed": 1,
    }
    atomic.write_json(run.samples, {"settings": settings, "samples": samples})


def _write_export(run: RunFolder) -> None:
    names = {
        "config.json": 812,
        "model.safetensors": 4_497_120,
        "tokenizer.json": 98_214,
        "modeling_smidgen.py": 21_400,
    }
    files = [
        {"name": name, "bytes": length, "sha256": hashlib.sha256(name.encode()).hexdigest()}
        for name, length in names.items()
    ]
    export = {
        "format": "hf",
        "kind": "remote code",
        "files": files,
        "parity": {"max_abs_logit_diff": 4.8e-6, "kl": 1.2e-11, "top1": 1.0},
        "notes": ["read back with transformers 5.23.0"],
        "refused": [{"format": "gguf", "reason": "exclusive self attention has no counterpart there"}],
    }
    atomic.write_json(run.exports / "hf.json", export)


def _write_manifest(run: RunFolder) -> None:
    stages = {
        "design": (0.3, 61_000_000),
        "tokenizer": (11.4, 402_000_000),
        "data": (19.8, 655_000_000),
        "train": (263.1, 1_212_000_000),
        "evaluate": (38.2, 804_000_000),
        "export": (9.7, 731_000_000),
    }
    manifest = {
        "versions": {
            "smidgen": "0.1.0",
            "python": "3.11.7",
            "torch": "2.9.1",
            "numpy": "2.3.5",
            "tokenizers": "0.22.1",
        },
        "hardware": {"processor": "x86_64", "cores": 2, "memory_bytes": 16_700_000_000, "gpu": None},
        "stages": {
            name: {"seconds": seconds, "peak_memory_bytes": memory} for name, (seconds, memory) in stages.items()
        },
        "command": "smidgen run quickstart --out runs/quickstart",
    }
    atomic.write_json(run.manifest, manifest)


if __name__ == "__main__":
    from smidgen.reports import write_report

    target = Path(sys.argv[1])
    shutil.rmtree(target, ignore_errors=True)
    print(write_report(build_run(target)))

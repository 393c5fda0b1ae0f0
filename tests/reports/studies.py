"""Records of a study of samplers and of a ladder as their commands write them."""

FIGURES = ("loop_rate", "cycle_rate", "collapse_rate", "distinct", "garble", "nll")


def setting(names=(), loops=0.1, garble=0.05, **values):
    settings = {
        "temperature": 0.8,
        "top_k": 0,
        "top_p": 1.0,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "no_repeat_ngram_size": 0,
    }
    ratios = dict(zip(FIGURES, (loops, loops, 0.0, 0.9, garble, 2.5), strict=True))
    intervals = {
        name: {"low": round(0.9 * value, 4), "high": round(1.1 * value, 4)}
        for name, value in ratios.items()
        if value is not None
    }
    return {
        "names": list(names),
        **settings,
        **values,
        **ratios,
        "tokens": 900,
        "texts": 12,
        "intervals": intervals,
        "example": {"prompt": "The", "text": " cat"},
    }


def sampler_study():
    """Three settings, the second of which is recommended."""
    settings = [
        setting(["gpt-s-5m"], top_p=0.95, no_repeat_ngram_size=4),
        setting(temperature=0.5, repetition_penalty=1.2, loops=0.0, garble=0.02),
        setting(["recipe"], temperature=0.0, garble=None),
    ]
    best = {key: value for key, value in settings[1].items() if key != "example"}
    return {
        "identity": "x",
        "finished": True,
        "model": "quickstart",
        "weights_sha256": "w",
        "conditions": {
            "prompts": "held-out text",
            "number_of_prompts": 12,
            "seeds": 1,
            "new_tokens": 96,
            "seed": 0,
            "words_of": "the run's own training text",
        },
        "real_text": {key: value for key, value in setting(loops=0.0).items() if key in (*FIGURES, "intervals")},
        "settings": settings,
        "recommended": {**best, "rule": "The stated rule.", "why": "2 of 3 settings remain"},
        "recipe_section": "[sampling]\ntemperature = 0.5",
    }


def score(value, half=0.01):
    return {"value": value, "low": value - half, "high": value + half, "n": 100}


def ladder(**changes):
    """Two files of a model, the second of which is worse."""
    rungs = [
        {
            "name": f"quickstart-{kind}.gguf",
            "type": kind,
            "bytes": size,
            "bits_per_weight": bits,
            "kl": score(kl, kl / 10),
            "top1": score(top1),
            "perplexity": score(perplexity),
            "perplexity_change": score(perplexity / 12 - 1),
            "real_words": score(0.95),
            "loops": {"greedy": score(0.2), "sampled": score(0.02)},
            "verdict": verdict,
            "why": why,
        }
        for kind, size, bits, kl, top1, perplexity, verdict, why in (
            ("F16", 2_400_000, 16.1, 2e-7, 1.0, 12.0, "as good", "perplexity unchanged"),
            ("Q4_0", 700_000, 4.9, 0.1, 0.8, 13.0, "worse", "perplexity +8.33%"),
        )
    ]
    return {
        "model": "quickstart",
        "weights_sha256": "w",
        "rule": "Against F32, by a stated rule.",
        "rungs": rungs,
        "refused": [{"format": "Q6_K", "reason": "rows are no multiples of 256"}],
        **changes,
    }

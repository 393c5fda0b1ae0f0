"""Sampling settings and what was measured of them, as people read them."""

from typing import Any

from smidgen.reports import words

OFF = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0, "no_repeat_ngram_size": 0}
# What is shown of each setting, and its name.
SHOWN = {
    "loop_rate": "loops",
    "garble": "unknown words",
    "distinct": "distinct 3-grams",
    "nll": "nats a token",
}
SHORT = {
    "top_k": "top k",
    "top_p": "top p",
    "min_p": "min p",
    "repetition_penalty": "penalty",
}


def others_words(setting: dict[str, Any]) -> str:
    """Everything but the temperature: "top p 0.9, penalty 1.1"; settings that are off are left out."""
    shown = [
        f"{short} {setting[name]:g}" for name, short in SHORT.items() if setting.get(name, OFF[name]) != OFF[name]
    ]
    if size := setting.get("no_repeat_ngram_size"):
        shown.append(f"no {size:g}-gram twice")
    return ", ".join(shown) or "nothing else"


def setting_words(setting: dict[str, Any]) -> str:
    """The whole: "temperature 0.5, penalty 1.2"."""
    first = "greedy" if not setting["temperature"] else f"temperature {setting['temperature']:g}"
    others = others_words(setting)
    return first if others == "nothing else" else f"{first}, {others}"


def value(measured: dict[str, Any], name: str) -> str:
    """A share in percent, a surprise in nats, or a dash where nothing was counted."""
    if measured[name] is None:
        return "–"
    return f"{measured[name]:.2f}" if name == "nll" else words.percent(measured[name])


def interval(measured: dict[str, Any], name: str) -> str:
    """In the unit of the value, "6.1 to 23.6"; empty where nothing was counted."""
    if measured[name] is None:
        return ""
    low, high = (measured["intervals"][name][end] for end in ("low", "high"))
    return f"{low:.2f} to {high:.2f}" if name == "nll" else f"{100 * low:.1f} to {100 * high:.1f}"


def value_with_interval(measured: dict[str, Any], name: str) -> str:
    ends = interval(measured, name)
    return f"{value(measured, name)} ({ends})" if ends else value(measured, name)

"""What became of a model by a stated rule, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

AS_GOOD, SLIGHTLY, WORSE, SCRAMBLED = "as good", "slightly worse", "worse", "scrambled"
# Thresholds are assumed; the ladder prints what they are held against.
SCRAMBLED_PERPLEXITY, WORSE_PERPLEXITY, SLIGHT_PERPLEXITY = 0.5, 0.05, 0.01
SLIGHT_TOP1 = 0.97
SCRAMBLED_WORDS, SCRAMBLED_LOOPS = 0.05, 0.2
RULE = (
    f"Against F32. Scrambled: perplexity at least {SCRAMBLED_PERPLEXITY:.0%} higher, or clearly fewer real words (by "
    f"{100 * SCRAMBLED_WORDS:.0f} points or more), or clearly more texts that loop (by {100 * SCRAMBLED_LOOPS:.0f} "
    f"points or more). Worse: perplexity at least {WORSE_PERPLEXITY:.0%} higher, or clearly fewer real words, more "
    f"loops or a lower score in a task. Slightly worse: perplexity at least {SLIGHT_PERPLEXITY:.0%} higher, or the "
    f"same top token at fewer than {SLIGHT_TOP1:.0%} of the positions. As good: none of these. Clearly: the 95% "
    "intervals do not meet; in tasks, the paired comparison says so."
)


def verdict(
    rung: Mapping[str, Any], reference: Mapping[str, Any], comparisons: Sequence[Mapping[str, Any]] = ()
) -> dict[str, str]:
    """``verdict`` by the rule, and ``why``: the measured change that decided, or the largest where none did."""
    higher = rung["perplexity_change"]["value"]
    fewer = _clear_change(reference["real_words"], rung["real_words"])
    loops = {how: _clear_change(rung["loops"][how], reference["loops"][how]) for how in ("sampled", "greedy")}
    how, more = max(loops.items(), key=lambda one: one[1])
    lost = [one["task"] for one in comparisons if one["verdict"] == "worse"]
    same = rung["top1"]["value"]
    perplexity = f"perplexity {higher:+.2%}" if abs(higher) >= 0.00005 else "perplexity unchanged"
    words = f"{100 * fewer:.1f} points fewer real words"
    looping = f"{100 * more:.0f} points more {how} texts that loop"
    steps = (
        (SCRAMBLED, higher >= SCRAMBLED_PERPLEXITY, perplexity),
        (SCRAMBLED, fewer >= SCRAMBLED_WORDS, words),
        (SCRAMBLED, more >= SCRAMBLED_LOOPS, looping),
        (WORSE, higher >= WORSE_PERPLEXITY, perplexity),
        (WORSE, fewer > 0, words),
        (WORSE, more > 0, looping),
        (WORSE, bool(lost), f"lower in {', '.join(lost)}"),
        (SLIGHTLY, higher >= SLIGHT_PERPLEXITY, perplexity),
        (SLIGHTLY, same < SLIGHT_TOP1, f"the same top token at {same:.1%} of the positions"),
    )
    decided = next((word for word, holds, _ in steps if holds), AS_GOOD)
    why = [reason for word, holds, reason in steps if holds and word == decided]
    return {
        "verdict": decided,
        "why": ", ".join(why) or f"{perplexity}, the same top token at {same:.1%} of the positions",
    }


def _clear_change(lower: Mapping[str, Any] | None, upper: Mapping[str, Any] | None) -> float:
    """How far the second lies below the first where their intervals do not meet, else 0.

    Named for what should not be: a share that was high and is low. Nothing is clear where one was not measured.
    """
    if lower is None or upper is None or lower["low"] <= upper["high"]:
        return 0.0
    return lower["value"] - upper["value"]

"""What the reader must not expect, in sentences that follow from the run's own numbers."""

from smidgen.reports import words
from smidgen.reports.run_records import RunRecords
from smidgen.reports.score_words import full_name, name_within_task, with_interval
from smidgen.reports.stored.scores import BITS_PER_BYTE, Score

# Up to about four passes, repeated text is worth nearly as much as new text (arXiv:2305.16264).
MOST_EPOCHS = 4
# Tasks whose items this program writes itself, and the generator that writes the same kind of training text.
_GENERATED_TASKS = {
    "arithmetic": "arithmetic",
    "arithmetic-length": "arithmetic",
    "arithmark1-generated": "arithmetic",
    "arithmark2-generated": "arithmetic",
    "arithmark2-generated-free": "arithmetic",
    "arithmark2-generated-hard": "arithmetic",
    "arithmark3-generated": "arithmetic",
    "arithmark3-generated-hard": "arithmetic",
    "minimal-pairs": "grammar",
}


def limitations(records: RunRecords) -> list[str]:
    return [
        *_size(records),
        *_context(records),
        *_unfinished(records),
        *_chance(records),
        *_trivial_rules(records),
        *_compressors(records),
        *_generated_tasks(records),
        *_tokenizer(records),
        *_epochs(records),
        *_loops(records),
    ]


def _size(records: RunRecords) -> list[str]:
    if not records.design:
        return []
    size = words.count(records.design.total)
    return [
        f"A base model of {size} parameters: it continues text, was not tuned to follow instructions or to refuse, "
        "and holds few facts. Nothing it writes should be relied on."
    ]


def _context(records: RunRecords) -> list[str]:
    length = records.recipe.context_length if records.recipe else None
    return (
        [f"It was trained on at most {length:,} tokens at once; longer texts are outside of that."] if length else []
    )


def _unfinished(records: RunRecords) -> list[str]:
    if not (records.is_training_unfinished and records.training and records.recipe):
        return []
    done, planned = records.training.tokens, records.recipe.planned_tokens or 0
    return [f"Training has not finished: {words.count(done)} of {words.count(planned)} tokens so far."]


def _chance(records: RunRecords) -> list[str]:
    """One sentence for all scores of a task: a weak model is at chance on a dozen phenomena."""
    not_above = [score for score in _fractions(records) if score.is_above_chance is False]
    below = [score for score in not_above if score.is_below_chance]
    at_chance = [score for score in not_above if not score.is_below_chance]
    nothing, wrong = "Nothing shows that the model can do this.", "Below chance, so that wrong answers are preferred,"
    return [
        *(f"At chance in {_with_values(scores)}. {nothing}" for scores in _by_family(at_chance)),
        *(f"{wrong} in {_with_values(scores)}." for scores in _by_family(below)),
    ]


def _trivial_rules(records: RunRecords) -> list[str]:
    sentences = []
    for score in _fractions(records):
        rule = score.best_rule
        if score.is_above_chance and rule and score.low is not None and score.low <= rule[1]:
            sentences.append(
                f"{full_name(score)}: {with_interval(score)} is above chance, but not clearly above the rule "
                f"“{rule[0]}”, which reaches {words.percent(rule[1])} without a model."
            )
    return sentences


def _by_family(scores: list[Score]) -> list[list[Score]]:
    families = dict.fromkeys(score.family for score in scores)
    return [[score for score in scores if score.family == family] for family in families]


def _with_values(scores: list[Score]) -> str:
    chance = scores[0].chance or 0.0
    named = words.listing([f"{name_within_task(score)} {with_interval(score)}" for score in scores])
    return f"{scores[0].family}: {named}, where guessing gives {words.percent(chance, 0)}"


def _compressors(records: RunRecords) -> list[str]:
    scores = [score for score in records.scores.scores if score.family == BITS_PER_BYTE] if records.scores else []
    sentences = []
    for score in scores:
        better = [f"{name} ({words.bits(bits)})" for name, bits in score.baselines.items() if bits <= score.value]
        if better:
            sentences.append(
                f"On {score.part or 'all held-out text'}, {words.listing(better)} "
                f"{'needs' if len(better) == 1 else 'need'} no more bits per byte than the model "
                f"({words.bits(score.value)})."
            )
    return sentences


def _generated_tasks(records: RunRecords) -> list[str]:
    scored = [task for task in _GENERATED_TASKS if any(score.family == task for score in _fractions(records))]
    if not scored:
        return []
    trained_on = {source.generator for source in records.recipe.sources.values()} if records.recipe else set()
    seen = [task for task in scored if _GENERATED_TASKS[task] in trained_on]
    shared = (
        f" The training data holds text of the same built-in generator for {words.listing(seen)}, so the "
        f"{'score tells' if len(seen) == 1 else 'scores tell'} about that kind of text, not about English at large."
    )
    return [
        f"The items of {words.listing(scored)} are written by Smidgen: the scores must not be set beside those of "
        f"published benchmarks.{shared if seen else ''}"
    ]


def _tokenizer(records: RunRecords) -> list[str]:
    failures = records.tokenizer.roundtrip_failures if records.tokenizer else None
    if not failures:
        return []
    return [f"The tokenizer does not give back {words.plural(failures, 'text')} of those it was checked on."]


def _epochs(records: RunRecords) -> list[str]:
    sources = records.data.sources if records.data else ()
    return [
        f"{source.name} was passed over {source.epochs:.1f} times; what is repeated often is learned by heart."
        for source in sources
        if source.epochs is not None and source.epochs > MOST_EPOCHS
    ]


def _loops(records: RunRecords) -> list[str]:
    if not records.samples or not records.samples.loops:
        return []
    samples = words.plural(len(records.samples.samples), "sample")
    return [f"{records.samples.loops} of {samples} ended in a repetition."]


def _fractions(records: RunRecords) -> tuple[Score, ...]:
    return records.scores.fractions if records.scores else ()

"""Word problems made here in the form of ArithMark 3, as items to choose from."""

from smidgen.data.word_problems import word_problem_items
from smidgen.evaluation.tasks.item import Choice


def story_items(*, seed: int, items: int, distractors: str = "near") -> list[Choice]:
    """Distinct held-out problems, the categories in turn; ``distractors`` as in ``smidgen.data.arithmetic``.

    Raises ``BadInput`` where there are not so many.
    """
    return [
        Choice(
            key=item.context,
            contexts=(item.context,),
            endings=item.endings,
            texts=tuple(ending.removeprefix(" ") for ending in item.endings),
            labels=(item.label,),
            groups=(item.category,),
        )
        for item in word_problem_items(seed=seed, items=items, distractors=distractors)
    ]

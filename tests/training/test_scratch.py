"""At operands and behind them stand the digits of the value so far; the loss that is reported is that of the text."""

import re
from dataclasses import replace

import pytest
import torch

from smidgen.data.arithmetic import arithmetic_documents, value_of
from smidgen.model.digit_features import token_classes
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.training.scratch import NO_TARGET, scratch_targets
from smidgen.training.step import Step

from ..export.tiny import ARITHMETIC, CLOSING, tiny_model, tokenizer

CPU = torch.device("cpu")
IN_ORDER = TokenizerSettings(digits="single", isolate_operators=True, isolate_whitespace=True)
# An equation, and for each operand behind which something is asked: the text up to there, what the tokens behind it
# are to say, and what its own digits are, where the least comes first; behind ")" these tokens say the value inside
# instead where digits are in order (third).
EXAMPLES = [
    ("12 + 34 = 46", {"12 + 34": ("6", "64")}),
    ("12 * 4 + 30 / 5 - 7 = 47",
     {"12 * 4": ("84=", "8"), "12 * 4 + 30": ("87=", "87"), "12 * 4 + 30 / 5": ("6==", ""),
      "12 * 4 + 30 / 5 - 7": ("7", "7")}),
    ("(7 + 5) * 3 = 36", {"(7 + 5": ("21=", "2"), "(7 + 5) * 3": ("6", "6")}),
    ("7 * (3 + 2 * 4) = 77", {"7 * (3 + 2": ("5==", "5"), "7 * (3 + 2 * 4": ("77", "8", "11")}),
    ("70 - (1 * 69) + 5 = 6", {"70 - (1 * 69": ("1==", "96", "96="), "70 - (1 * 69) + 5": ("6", "6")}),
    ("50 + (3 - 20) = 33", {"50 + (3 - 20": ("33", "", "")}),  # only inside below 0
    ("9 - (4 + 8) = -3", {"9 - (4 + 8": ("21", "2")}),  # only the whole
    ("9 * (8 / 2) = 36", {"9 * (8 / 2": ("4=", "")}),  # the value inside is said nowhere else
    ("2 * (3 * (1 + 4)) = 30", {"2 * (3 * (1 + 4": ("51=", "5", "5==")}),
    ("3 - 5 + 9 = 7", {"3 - 5 + 9": ("7", "7")}),  # below 0: nothing is asked
    ("7 / 2 * 4 = 14", {}),
    ("999 * 999 = 998001", {"999 * 999": ("1", "100")}),
    ("105 - 98 = 7", {"105 - 98": ("7", "70")}),
    ("98 + 105 = 203", {"98 + 105": ("3", "302")}),
    ("3 - -4 + 1 = 8", {"3 - -4": ("7==", "7"), "3 - -4 + 1": ("8", "8")}),
    ("12+34*2=80", {"12+34": ("6", "64"), "12+34*2": ("", "8")}),
    ("5 = 5", {}),
    ("In 1999 it was 12 + 34 = 46", {}),
]  # fmt: skip


def targets(text, settings=ARITHMETIC, before="\n"):
    """The tokenizer, and what each token of the text is to predict."""
    known = tokenizer(settings)
    ids = known.encode(before + text + "\n")
    class_V = token_classes(known.digit_token_ids(), known.vocab_size)
    least_first = settings.digits == "reversed"
    [found] = scratch_targets(torch.tensor([ids]), class_V, known.digit_token_ids(), least_first=least_first).tolist()
    return known, found


@pytest.mark.parametrize("settings", [ARITHMETIC, CLOSING, IN_ORDER], ids=["least digit first", "closed", "in order"])
@pytest.mark.parametrize(("text", "asked"), EXAMPLES)
def test_the_value_so_far_is_asked_for(text, asked, settings):
    known, found = targets(text, settings)
    expected = [None] * len(found)
    for before, (behind, along, *inside) in asked.items():
        place = len(known.encode("\n" + before))
        if settings is IN_ORDER and inside:
            [behind] = inside
        for number, digit in enumerate(behind):
            expected[place + number] = digit
        if settings is not IN_ORDER:
            expected[place - len(along) : place] = along
    assert [None if target == NO_TARGET else known.decode([target]) for target in found] == expected


def test_what_is_asked_for_are_ordinary_digits_whether_numbers_are_closed_or_not():
    text = "12 * 4 + 30 / 5 - 7 = 47"
    known, found = targets(text, CLOSING)
    ids = known.digit_token_ids()
    assert set(found) <= {NO_TARGET, ids.equals, *ids.digits}
    assert found == targets(text, ARITHMETIC)[1]


def test_nothing_is_asked_of_a_line_whose_beginning_is_not_seen():
    assert set(targets("12 + 34 = 46", before="")[1]) == {NO_TARGET}


def test_the_last_value_is_the_answer():
    lines = [line for document in arithmetic_documents(seed=3, documents=8) for line in document.text.splitlines()]
    for line in lines:
        expression, _, answer = line.partition(" = ")
        known, found = targets(line)
        last = found[len(known.encode("\n" + expression))]
        # Behind a product stands the product, behind a parenthesis that closes at the end no operand.
        if not expression.endswith(")") and re.findall(r" ([-+*/]) ", expression)[-1] in "+-":
            assert known.decode([last]) == str(value_of(expression))[-1] == answer[-1]


def test_only_the_weight_that_is_asked_for_counts_and_the_text_is_reported(tiny_recipe):
    model = tiny_model(ARITHMETIC, place_vocab_size=66, role_vocab_size=12)
    settings = replace(tiny_recipe.training, precision="fp32", answer_weight=2.0)
    ids_SU = torch.tensor([model.tokenizer.encode("\n12 + 34 = 46\n1 * 2 + 3 = 5\n")])
    class_V = token_classes(model.config.digit_token_ids, model.config.vocab_size)
    scratch_ST = scratch_targets(ids_SU, class_V, model.config.digit_token_ids, least_first=True)
    assert (scratch_ST != NO_TARGET).sum() == 9

    def losses(weight, scratch_ST):
        step = Step(
            model.decoder,
            replace(settings, scratch_weight=weight),
            device=CPU,
            dtype=torch.float32,
            micro_batch=1,
            compile_mode=None,
        )
        loss, norm = step.gradients(ids_SU, scratch_ST=scratch_ST)
        step.forget_gradients()
        return loss.item(), norm.item()

    plain, with_scratch, heavy = losses(0.0, None), losses(1.0, scratch_ST), losses(9.0, scratch_ST)
    assert with_scratch[0] == heavy[0] == pytest.approx(plain[0], rel=1e-6)
    assert len({round(norm, 6) for _, norm in (plain, with_scratch, heavy)}) == 3

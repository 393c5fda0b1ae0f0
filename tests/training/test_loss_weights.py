"""Which tokens of a text count more: with 5 for a token of the question and 7 for one of the answer."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from smidgen.model.config import PLACE_VOCAB_SIZE, ROLE_VOCAB_SIZE, DigitTokenIds, ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.digit_features import token_classes
from smidgen.model.initialisation import initialise
from smidgen.training.acceleration import OWN_CROSS_ENTROPY
from smidgen.training.loss_weights import loss_weights
from smidgen.training.step import Step

SYMBOLS = "0123456789+-*/()= \na"
IDS = DigitTokenIds(
    digits=tuple(range(10)),
    operators=(10, 11, 12, 13),
    open_parenthesis=14,
    close_parenthesis=15,
    equals=16,
    spaces=(17,),
    line_starts=(18,),
)


def ids_of(text):
    return torch.tensor([[SYMBOLS.index(character) for character in text]])


IDS_SU = torch.cat(
    [ids_of(text) for text in ("12 + 34 = 46\n", "7 * 5 = 35\naa", "aaa 3 + 4\n550", "9 - 4 = 5\n1 +")]
)


def weights_of(text):
    """A figure for each character, the first one apart, which is no target."""
    weight_BT = loss_weights(ids_of(text), token_classes(IDS, len(SYMBOLS)), question=5.0, answer=7.0)
    return "".join(f"{weight:.0f}" for weight in weight_BT[0].tolist())


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("12 + 34 = 46\n", "515155151777"),
        ("12+34=46\n7", "555557775"),
        ("(5 - -3) * 2 = -16\na", "5151555151515177771"),
        ("aa 2 + 3 = 5\n", "111111111111"),
        # What breaks a line comes too late for what stands before it.
        ("2 + 3 = 5 a\n", "15151517111"),
        ("7 = 3 + 4\n1", "1517111115"),
        ("6 * 7 = 42", "151515177"),
    ],
)
def test_the_answer_is_sign_digits_and_line_end_the_question_all_else_but_blanks(text, weights):
    assert weights_of(text) == weights


def decoder_with_features():
    decoder = Decoder(
        ModelConfig(
            vocab_size=len(SYMBOLS),
            hidden_size=12,
            num_layers=1,
            num_heads=3,
            num_kv_heads=1,
            intermediate_size=14,
            context_length=12,
            place_vocab_size=PLACE_VOCAB_SIZE,
            role_vocab_size=ROLE_VOCAB_SIZE,
            digit_token_ids=IDS,
            initializer_range=0.3,
        )
    )
    initialise(decoder, 3)
    return decoder


def step_of(decoder, settings, micro_batch=2, **more):
    return Step(
        decoder,
        settings,
        device=torch.device("cpu"),
        dtype=torch.float32,
        micro_batch=micro_batch,
        compile_mode=None,
        **more,
    )


def gradients_of(decoder):
    return torch.cat([parameter.grad.flatten() for parameter in decoder.parameters()])


def test_a_step_takes_the_gradient_of_the_weighted_loss_and_reports_the_plain_one(tiny_recipe):
    decoder = decoder_with_features()
    settings = replace(tiny_recipe.training, answer_weight=3.0, question_weight=0.5, gradient_clip=1e9)
    # A kernel of ours, which only knows the plain mean, must not be asked.
    setattr(decoder, OWN_CROSS_ENTROPY, pytest.fail)
    loss, _ = step_of(decoder, settings).gradients(IDS_SU)
    found = gradients_of(decoder)

    decoder.zero_grad()
    logits_STV = decoder(IDS_SU[:, :-1])
    loss_ST = F.cross_entropy(logits_STV.mT, IDS_SU[:, 1:], reduction="none")
    weight_ST = loss_weights(IDS_SU, decoder.digit_features.class_V, question=0.5, answer=3.0)
    (weight_ST * loss_ST).mean().backward()
    torch.testing.assert_close(found, gradients_of(decoder))
    torch.testing.assert_close(loss, loss_ST.mean().detach())
    # Passes of other sizes are the same step.
    decoder.zero_grad()
    step_of(decoder, settings, micro_batch=1).gradients(IDS_SU)
    torch.testing.assert_close(found, gradients_of(decoder))


def test_weights_of_one_are_no_weights_to_the_bit(tiny_recipe, monkeypatch):
    decoder = decoder_with_features()
    monkeypatch.setattr("smidgen.training.step.loss_weights", None)
    step_of(decoder, tiny_recipe.training).gradients(IDS_SU)
    usual = gradients_of(decoder)
    decoder.zero_grad()
    step_of(decoder, replace(tiny_recipe.training, answer_weight=1.0, question_weight=1.0)).gradients(IDS_SU)
    assert torch.equal(usual, gradients_of(decoder))


# The compiler itself uses what PyTorch has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.soak  # over a minute of compiling
def test_a_compiled_step_weighs_and_shifts_the_same(tiny_recipe):
    decoder = decoder_with_features()
    settings = replace(tiny_recipe.training, answer_weight=3.0, question_weight=0.0, place_offset=9)
    offset_S, found = torch.tensor([0, 9, 4, 2]), []
    for way in (None, "default"):
        step = step_of(decoder, settings)
        step._losses = step._losses_of if way is None else torch.compile(step._losses_of, fullgraph=True)
        loss, norm = step.gradients(IDS_SU, None, offset_S)
        found.append(torch.cat([gradients_of(decoder), loss[None], norm[None]]))
        decoder.zero_grad()
    torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-6)

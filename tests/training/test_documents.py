"""Documents in one sequence are trained on as if each were alone.

N tokens of a document and the next    U tokens of a sequence and the next
"""

import pytest
import torch
import torch.nn.functional as F

from smidgen.model.config import PLACE_VOCAB_SIZE, ROLE_VOCAB_SIZE, DigitTokenIds, ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.training.acceleration import accelerate
from smidgen.training.documents import document_mask, first_of_document
from smidgen.training.step import Step

CPU = torch.device("cpu")
END = 96
# Of the rest of a document, one of a single token, one with nothing in it, and one that the sequence cuts off.
LENGTHS = [(7, 2, 1, 31), (1, 20, 3, 17)]
DIGITS = DigitTokenIds(
    digits=tuple(range(10)), operators=(10, 11, 12, 13), open_parenthesis=14, close_parenthesis=15, equals=16,
    line_starts=(17, END),
)  # fmt: skip


@pytest.fixture(params=[False, True], ids=["PyTorch's attention", "our attention"])
def decoder(request):
    decoder = Decoder(
        ModelConfig(
            vocab_size=97,
            hidden_size=64,
            num_layers=2,
            num_heads=4,
            num_kv_heads=2,
            head_dim=16,
            intermediate_size=96,
            context_length=41,
            xsa=True,
            place_vocab_size=PLACE_VOCAB_SIZE,
            role_vocab_size=ROLE_VOCAB_SIZE,
            digit_token_ids=DIGITS,
        )
    )
    initialise(decoder, 5)
    # Larger, so that attention is not even.
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.mul_(3.0)
    if request.param and accelerate(decoder, CPU, torch.float32):
        pytest.skip("no compiler here")
    return decoder


def drawn_ids():
    ids_BU = torch.randint(END, (len(LENGTHS), 42), generator=torch.Generator().manual_seed(2))
    for ids_U, lengths in zip(ids_BU, LENGTHS, strict=True):
        for start in torch.tensor(lengths).cumsum(dim=0)[:-1]:
            ids_U[start] = END
    return ids_BU


def together(decoder, recipe, ids_BU, end_of_text_id):
    step = Step(
        decoder,
        recipe.training,
        device=CPU,
        dtype=torch.float32,
        micro_batch=len(ids_BU),
        compile_mode=None,
        end_of_text_id=end_of_text_id,
    )
    decoder.zero_grad()
    loss, cross_entropy = step._losses(ids_BU)
    loss.backward()
    return cross_entropy.item(), gradients(decoder)


def parts_read_alone(ids_U, lengths):
    """Each document from the end of the one before on; every second one begins with itself, that end alone."""
    for number, (start, length) in enumerate(zip((0, *torch.tensor(lengths).cumsum(dim=0)), lengths, strict=False)):
        ids_N = ids_U[start : start + length + 1]
        yield from (ids_N[:2], ids_N[1:]) if number % 2 and length > 1 else (ids_N,)


def one_by_one(decoder, ids_BU):
    """Each document in a forward pass of its own, with the token after it as its last target."""
    decoder.zero_grad()
    total = 0.0
    for ids_U, lengths in zip(ids_BU, LENGTHS, strict=True):
        for ids_N in parts_read_alone(ids_U, lengths):
            loss = F.cross_entropy(decoder.train()(ids_N[None, :-1])[0], ids_N[1:], reduction="sum")
            (loss / (ids_BU.numel() - len(ids_BU))).backward()
            total += loss.item()
    return total / (ids_BU.numel() - len(ids_BU)), gradients(decoder)


def gradients(decoder):
    return {name: parameter.grad.clone() for name, parameter in decoder.named_parameters()}


def farthest(found, expected):
    return max((found[name] - expected[name]).abs().max().item() for name in expected)


def test_losses_and_gradients_are_those_of_each_document_alone(decoder, tiny_recipe):
    ids_BU = drawn_ids()
    expected_loss, expected = one_by_one(decoder, ids_BU)
    loss, found = together(decoder, tiny_recipe, ids_BU, END)
    assert loss == pytest.approx(expected_loss, abs=1e-5)
    assert farthest(found, expected) < 1e-5
    loss, found = together(decoder, tiny_recipe, ids_BU, None)
    assert abs(loss - expected_loss) > 1e-3
    assert farthest(found, expected) > 1e-3


def test_every_second_document_begins_at_the_end_of_the_one_before_and_the_others_with_themselves():
    ids_BT = torch.tensor([[5, END, 3, 4, END, END, 1], [END, 2, 2, 2, 2, END, 2]])
    first_BT = first_of_document(ids_BT, END)
    assert first_BT.tolist() == [[0, 1, 2, 2, 4, 5, 6], [0, 1, 1, 1, 1, 5, 5]]
    mask_TS = document_mask(first_BT)[0, 0].int().tolist()
    assert mask_TS[0] == [1, 0, 0, 0, 0, 0, 0]
    assert mask_TS[3] == [0, 0, 1, 1, 0, 0, 0]
    assert mask_TS[4] == [0, 0, 0, 0, 1, 0, 0]
    assert mask_TS[6] == [0, 0, 0, 0, 0, 0, 1]
    mask_TS = document_mask(first_BT)[1, 0].int().tolist()
    assert mask_TS[6] == [0, 0, 0, 0, 0, 1, 1]


# PyTorch's takes nearly a minute to compile; the other is what a processor trains with.
@pytest.mark.parametrize(
    "decoder",
    [
        pytest.param(False, id="PyTorch's attention", marks=pytest.mark.soak),
        pytest.param(True, id="our attention"),
    ],
    indirect=True,
)
# The compiler itself uses what PyTorch has deprecated.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_they_stay_apart_in_a_compiled_step(decoder, tiny_recipe):
    ids_BU = drawn_ids()
    expected_loss, expected = together(decoder, tiny_recipe, ids_BU, END)
    step = Step(
        decoder,
        tiny_recipe.training,
        device=CPU,
        dtype=torch.float32,
        micro_batch=len(ids_BU),
        compile_mode="default",
        end_of_text_id=END,
    )
    decoder.zero_grad()
    loss, cross_entropy = step._losses(ids_BU)
    loss.backward()
    assert cross_entropy.item() == pytest.approx(expected_loss, abs=1e-5)
    assert farthest(gradients(decoder), expected) < 1e-5

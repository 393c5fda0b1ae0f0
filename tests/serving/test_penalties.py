import pytest
import torch

from smidgen.serving.penalties import Penalties

LOGITS = torch.tensor([[0.5, -1.0, 2.0, 0.0, 3.0]])


def by_definition(logits, written, *, presence, frequency, biases):
    """mu[j] - c[j] * frequency - (c[j] > 0) * presence + bias[j], as the documentation of OpenAI's API states it."""
    return [
        value + dict(biases).get(at, 0) - written.count(at) * frequency - (presence if at in written else 0)
        for at, value in enumerate(logits)
    ]


@pytest.mark.parametrize("written", [[], [1], [1, 4, 1, 1]])
@pytest.mark.parametrize(
    "settings", [(0.0, 0.0, ()), (0.5, 0.0, ()), (0.0, -0.25, ()), (1.5, 0.5, ((4, -100.0), (0, 7.0)))]
)
def test_penalties_are_those_of_openai(written, settings):
    presence, frequency, biases = settings
    penalties = Penalties(presence=presence, frequency=frequency, biases=biases)
    expected = by_definition(LOGITS[0].tolist(), written, presence=presence, frequency=frequency, biases=biases)
    assert penalties.apply(LOGITS, written)[0].tolist() == pytest.approx(expected)


def test_the_logits_given_stay_as_they_are():
    before = LOGITS.clone()
    Penalties(presence=1, frequency=1, biases=((0, 5.0),)).apply(LOGITS, [2])
    assert LOGITS.equal(before)

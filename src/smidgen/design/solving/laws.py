"""What others found about the shape of a decoder, as functions of columns of shapes.

Each constant is as published; where it was fitted and how far that is from here stands beside it. Losses are in nats
per token, parameters are counts.
"""

import math

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]

# Tao et al. 2024 (arXiv:2407.13623), parametric fit of the loss over that of a unigram model, with parameters in
# millions. Fitted from 33M to 1.1B parameters outside of the vocabulary and vocabularies of 4,096 to 96,256: a model
# of 5M is an extrapolation by a factor of eight. The fit's third term depends on the trained tokens alone.
# A doubt: in the authors' own table their smallest models (33M, 1.2B tokens) reach -3.940 with 4,096 entries and
# -3.938 with 16,384, where the fit expects 0.07 less. Smaller vocabularies than its best may cost less than it says.
LAYER_WEIGHT, LAYER_EXPONENT = 1.8313851559554126, 0.44660634152009615
VOCABULARY_WEIGHT, VOCABULARY_EXPONENT = 0.19584238398665638, 0.6707374679896795
# The same paper's power law for the best vocabulary: (parameters elsewhere / 33M) ** exponent * 3.1M. It holds where
# tokens grow with the model, and gives less to the vocabulary than the fit does.
POWER_LAW_LAYERS, POWER_LAW_VOCABULARY, POWER_LAW_EXPONENT = 33_000_000, 3_145_728, 0.8353974035228025

# Kaplan et al. 2020 (arXiv:2001.08361): loss of a model by its parameters outside of the vocabulary, measured from
# below a thousand to 1.5 billion of them.
LOSS_PARAMETERS, LOSS_EXPONENT = 8.8e13, 0.076
# The same, figure 5: 6 layers of 4,288 stay within 3% of 48 layers of 1,600. Taken as a parabola in the logarithm of
# width over depth. That other ratios of a shape cost as much is assumed; the figure shows them as no steeper.
SHAPE_COST = 0.03 / math.log((4288 / 6) / (1600 / 48)) ** 2

# Levine et al. 2020 (arXiv:2006.12467): the width at which a depth stops paying, from networks of 6 to 48 layers.
WIDTH_INTERCEPT, WIDTH_SLOPE = 5.039, 0.0555
SHALLOWEST_FITTED = 6
# A layer of 4 x width^2 for attention and 8 x width^2 for the feed-forward network, as in that paper.
PARAMETERS_PER_WIDTH_SQUARED = 12

# Shazeer 2020 (arXiv:2002.05202): three matrices instead of two, hence 2/3 of the usual 4 x width.
FEED_FORWARD_RATIO = 8 / 3

# Published models of this size that work have heads of 32 (GPT-S-5M) to 64 (Atom-3.4m). That smaller ones harm is a
# hypothesis of Ant-5M's author, who had 16.
SMALLEST_WORKING_HEAD, LARGEST_WORKING_HEAD = 32, 64

# Three query heads to a key-value head: GPT-S-5M, Atom-3.4m and MobileLLM (arXiv:2402.14905). GQA is close to full
# attention at larger sizes (arXiv:2305.13245); nobody published the cost at this size, so it only breaks ties:
# 0.1% of the loss for a factor of e, assumed.
GROUP_SIZE, GROUP_COST = 3, 0.001


def layer_and_vocabulary_loss(elsewhere: Column, in_vocabulary: Column) -> Column:
    """The part of the loss that depends on how parameters are split (Tao et al.)."""
    layers = LAYER_WEIGHT * (elsewhere / 1e6) ** -LAYER_EXPONENT
    vocabulary = VOCABULARY_WEIGHT * (in_vocabulary / 1e6) ** -VOCABULARY_EXPONENT
    return layers + vocabulary


def best_vocabulary(total: Column, tables: int) -> Column:
    """Parameters of one table of the best vocabulary for models of ``total``, which hold ``tables`` of them.

    Where the fit's derivative is zero, which bisection finds: the more is in the vocabulary, the less another entry
    gains and the more it takes from the layers.
    """
    low, high = np.full_like(total, 1e-6), np.full_like(total, (1 - 1e-6) / tables)
    for _ in range(50):
        share = (low + high) / 2
        in_vocabulary, elsewhere = share * total / 1e6, (1 - tables * share) * total / 1e6
        gain = VOCABULARY_EXPONENT * VOCABULARY_WEIGHT * in_vocabulary ** -(VOCABULARY_EXPONENT + 1)
        cost = tables * LAYER_EXPONENT * LAYER_WEIGHT * elsewhere ** -(LAYER_EXPONENT + 1)
        low, high = np.where(gain > cost, share, low), np.where(gain > cost, high, share)
    return (low + high) / 2 * total


def best_split_loss(total: Column, tables: int) -> Column:
    """The lowest ``layer_and_vocabulary_loss`` of any model of ``total`` parameters."""
    in_vocabulary = best_vocabulary(total, tables)
    return layer_and_vocabulary_loss(total - tables * in_vocabulary, in_vocabulary)


def as_good_as(loss: float, tables: int) -> float:
    """Parameters of the well-split model that has this ``layer_and_vocabulary_loss``."""
    logarithms = np.linspace(math.log(1e3), math.log(1e11), 500)
    # The loss falls with the total, and np.interp wants it to rise.
    return math.exp(np.interp(-loss, -best_split_loss(np.exp(logarithms), tables), logarithms))


def power_law_vocabulary(elsewhere: float) -> float:
    """Parameters of the best vocabulary by the power law of Tao et al."""
    return POWER_LAW_VOCABULARY * (elsewhere / POWER_LAW_LAYERS) ** POWER_LAW_EXPONENT


def expected_loss(elsewhere: Column) -> Column:
    """Nats per token by Kaplan et al., with which a loss in nats becomes a share of the loss."""
    return (LOSS_PARAMETERS / elsewhere) ** LOSS_EXPONENT


def best_depth(elsewhere: Column) -> Column:
    """Layers, not rounded, of the network of this many parameters that lies on the curve of Levine et al.

    Below the shallowest network of the fit its ratio of width to depth is kept.
    """
    depths = np.linspace(SHALLOWEST_FITTED, 96, 2000)
    sizes = PARAMETERS_PER_WIDTH_SQUARED * depths * np.exp(WIDTH_INTERCEPT + WIDTH_SLOPE * depths) ** 2
    shallower = SHALLOWEST_FITTED * np.cbrt(elsewhere / sizes[0])
    return np.where(elsewhere < sizes[0], shallower, np.interp(elsewhere, sizes, depths))


def best_aspect(elsewhere: Column) -> Column:
    """Width over depth on that curve."""
    depth = best_depth(elsewhere)
    return np.sqrt(elsewhere / (PARAMETERS_PER_WIDTH_SQUARED * depth)) / depth


def departure(ratio: Column, best: Column | float) -> Column:
    """Cost of a ratio away from its best value, as a share of the loss: a parabola in its logarithm."""
    return SHAPE_COST * np.log(ratio / best) ** 2


def head_departure(head_dim: Column) -> Column:
    """The same for the head size, which costs nothing from 32 to 64."""
    return departure(head_dim, np.clip(head_dim, SMALLEST_WORKING_HEAD, LARGEST_WORKING_HEAD))


def group_departure(group_size: Column) -> Column:
    return GROUP_COST * np.log(group_size / GROUP_SIZE) ** 2

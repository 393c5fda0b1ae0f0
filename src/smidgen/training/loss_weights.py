"""How much the loss of each token counts: those of an equation's answer and of its question may count more or less.

B sequences    T targets    U = T + 1 tokens
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from smidgen.model.digit_features import Role, TokenClass, role_ids


def loss_weights(ids_BU: Tensor, class_V: Tensor, *, question: float, answer: float) -> Tensor:
    """The weight of each token of ``ids_BU`` but the first as a target, (B, T): 1 outside of equations.

    The answer of a strict equation (``digit_features``) are its sign, its digits and the end of the line behind the
    last of them; the question are operands, operators, signs, parentheses and "=". Blanks belong to neither, nor does
    anything from the token on that breaks the equation: the 5 of "2 + 3 = 5 apples" still counts as an answer.
    """
    class_BU = class_V[ids_BU]
    role_BU = role_ids(class_BU)
    result_BU = role_BU == Role.RESULT.value
    # A sign stands directly before its number, which is the only thing that tells this one from an operand's.
    sign_BU = (role_BU == Role.SIGN.value) & F.pad(result_BU, (0, 1))[:, 1:]
    line_end_BU = (class_BU == TokenClass.LINE_START.value) & F.pad(result_BU, (1, 0))[:, :-1]
    weight_BU = torch.where(role_BU == Role.NONE.value, 1.0, question)
    return torch.where(result_BU | sign_BU | line_end_BU, answer, weight_BU)[:, 1:]

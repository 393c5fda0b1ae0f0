"""Documents packed into one sequence: which earlier tokens are of the same one.

B sequences    T tokens    S earlier tokens
"""

import torch
from torch import Tensor

# Raised whenever another token comes to begin a document: runs that began before then say so and go on.
BOUNDARIES_VERSION = 2


def first_of_document(token_ids_BT: Tensor, end_of_text_id: int) -> Tensor:
    """The place where each token's document begins, (B, T) int32; 0 where that lies before the sequence.

    A document's first token is predicted from the end-of-text token of the one before, as it is when text is scored.
    The rest of every second document reads that token too, as scored text does, and that of the others does not, as a
    prompt begins with itself: a model that has only seen one of the two does badly at the other (experiments.md,
    2026-11-22: 100% or 38% of sums).
    """
    place_T = torch.arange(token_ids_BT.shape[1], dtype=torch.int32, device=token_ids_BT.device)
    is_end_BT = token_ids_BT == end_of_text_id
    end_BT = torch.where(is_end_BT, place_T, 0).cummax(dim=1).values
    begins_with_itself_BT = (is_end_BT.cumsum(dim=1) % 2 == 1) & ~is_end_BT
    return end_BT + begins_with_itself_BT.int()


def document_mask(first_BT: Tensor) -> Tensor:
    """True where a token may read another: an earlier one or itself, of the same document, (B, 1, T, S)."""
    place_T = torch.arange(first_BT.shape[1], device=first_BT.device)
    return ((place_T <= place_T[:, None]) & (place_T >= first_BT[:, :, None]))[:, None]

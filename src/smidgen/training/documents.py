"""Documents packed into one sequence: which earlier tokens are of the same one.

B sequences    T tokens    S earlier tokens
"""

import torch
from torch import Tensor


def first_of_document(token_ids_BT: Tensor, end_of_text_id: int) -> Tensor:
    """The place where each token's document begins, (B, T) int32; 0 where that lies before the sequence.

    A document begins at the end-of-text token of the one before, from which its first token is predicted, as it is
    when text is scored.
    """
    place_T = torch.arange(token_ids_BT.shape[1], dtype=torch.int32, device=token_ids_BT.device)
    return torch.where(token_ids_BT == end_of_text_id, place_T, 0).cummax(dim=1).values


def document_mask(first_BT: Tensor) -> Tensor:
    """True where a token may read another: an earlier one or itself, of the same document, (B, 1, T, S)."""
    place_T = torch.arange(first_BT.shape[1], device=first_BT.device)
    return ((place_T <= place_T[:, None]) & (place_T >= first_BT[:, :, None]))[:, None]

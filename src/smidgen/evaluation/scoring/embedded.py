"""What a decoder's first layer reads for every row of a forest."""

import torch
from torch import Tensor

from smidgen.evaluation.scoring.forest import Forest, Query
from smidgen.model.decoder import Decoder


def embedded_rows(decoder: Decoder, queries: list[Query], forest: Forest) -> Tensor:
    """Token embeddings, digit features added where the design has them: (rows, C) in the weights' type."""
    device = decoder.embed_tokens.weight.device
    x_RC = decoder.embed_tokens(torch.from_numpy(forest.token).to(device))
    if decoder.digit_features is None:
        return x_RC
    # A feature depends on all tokens before, so it is derived along each text and then picked for its rows.
    width = max(len(query.token_ids) for query in queries)
    ids_BT = torch.tensor([[*query.token_ids, *[0] * (width - len(query.token_ids))] for query in queries])
    features_BTC = decoder.digit_features(ids_BT.to(device))
    request_R, position_R = torch.from_numpy(forest.row_request), torch.from_numpy(forest.position)
    return x_RC + features_BTC[request_R.to(device).long(), position_R.to(device).long()]

"""How log-probabilities are computed: once for every token that texts share, on the processor or on a GPU."""

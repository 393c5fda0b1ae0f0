"""Which shapes fit a budget of parameters, and which of them to prefer by whose law. No torch."""

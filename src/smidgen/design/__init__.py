"""What a design costs and what is wrong with it, before any compute is spent. No torch."""

"""The page of the web export with PyTorch behind it, on this machine: models side by side, and what they think."""

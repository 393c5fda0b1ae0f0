"""What scores say: comparisons with verdicts, the registry of scores, rows for leaderboards. No PyTorch here."""

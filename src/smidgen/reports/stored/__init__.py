"""What each file of a run folder says, checked and typed, so that drawing and writing meet no surprises."""

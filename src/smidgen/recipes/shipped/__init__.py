"""The recipe files that come with the package."""

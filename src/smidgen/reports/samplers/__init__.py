"""The page of a study of sampling settings."""

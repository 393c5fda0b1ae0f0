"""What text is worth training on: filters, exact and near duplicates, contamination with evaluation sets.

All of it is pure: the answer for a text depends on that text and the settings alone. What compares documents with
each other (`exact_duplicates.SeenDigests`, `near_duplicates.repeated_documents`) takes a few bytes of each, in order.
"""

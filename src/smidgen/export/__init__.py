"""Formats in which others load a model, each read back and compared before it is handed out.

``remote_code`` is not part of the package: its files are copied into folders that ``transformers`` loads, where they
stand beside copies of ``smidgen/model`` and import these relatively.
"""

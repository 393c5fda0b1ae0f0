"""Charts as inline SVG that takes its colours from the page; each is drawn for the width it is given."""

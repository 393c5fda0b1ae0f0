"""What ``smidgen solve`` found, as pictures and as a page."""

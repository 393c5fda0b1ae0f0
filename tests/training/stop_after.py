class StopAfter:
    """Asks to stop once it was asked a number of times."""

    def __init__(self, steps):
        self.left = steps

    def __call__(self):
        self.left -= 1
        return self.left < 0

"""Numbers as they occur in the stories: so wide that every template has hundreds of formulas (tested)."""

FEW = range(2, 13)
GROUPS = range(2, 31)
SOME = range(2, 100)
MANY = range(12, 400)
LARGE = range(12, 901)
ROUND = range(20, 500, 10)
PRICES = range(2, 60)
CENTS = range(5, 100, 5)

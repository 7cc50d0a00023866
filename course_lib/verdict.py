"""Verdicts: numbers that vary a little by device, told so that the text does not."""

OUTSIDE = "OUTSIDE its band"  # `course run` counts a lesson that prints this as failed


def check_band(name: str, value: float, low: float, high: float, digits: int = 3) -> None:
    """Print whether a number that varies a little by device lies where it should.

    The text is the same on every device as long as the number is inside, so a notebook can be checked by it.

    Parameters
    ----------
    name : str
        What the number is.
    low, high : float
        The band. Its lower end must lie above what a weaker model reaches.
    """
    band = f"{low:.{digits}f}-{high:.{digits}f}"
    if low <= value <= high:  # False for NaN
        print(f"{name} within {band}")
    else:
        print(f"{name} is {value:.{digits + 1}f}, {OUTSIDE} {band}. Did you change something above?")

"""The roofline report: `tinycnn bench`, or `python -m tinycnn bench`.

timer.py measures, ceiling.py says what the machine allows, cases/ holds what is measured,
session.py prints it; compare.py and plot.py read what a run has written. Nothing else imports it.
"""

from .command import add_arguments, run, script

__all__ = ["add_arguments", "run", "script"]

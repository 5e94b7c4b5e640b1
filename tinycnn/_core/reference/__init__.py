"""Every kernel in plain NumPy: the contract, the text for students, the oracle of the tests.

Each family has one file, and the same file name in every device's folder. A kernel fills the
outputs that it is given and allocates nothing but scratch; functions of `array` return new arrays.
"""

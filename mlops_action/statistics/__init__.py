"""Intervals, paired tests, multiplicity: numbers in, numbers out. Nothing is here yet."""

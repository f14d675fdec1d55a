"""Intervals, tests, multiplicity and power: numbers in, numbers out.

The scalar methods (``proportions``, ``paired``, ``means``, ``margins``, ``multiplicity``, ``power``) need the standard
library only. ``clusters``, ``delong``, ``resampling`` and ``permutation`` work on arrays and import numpy, so they are
imported where rows of predictions are judged, never at start. The methods, their sources and how well they do are in
``docs/statistics.md``.
"""

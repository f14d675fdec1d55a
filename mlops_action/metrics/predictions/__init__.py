"""Metrics of predictions with intervals, for all rows and every slice, from one pass over a file.

``measure.measure(path, roles)`` is the entry. Needs the extra ``data`` (numpy, pyarrow); nothing here is imported
before predictions are judged.
"""

"""Gates on rows of predictions: metrics with intervals, pairs of models, slices, groups, families of tests.

``judge.judge_predictions`` is the entry. Nothing here is imported before a gate names ``predictions``.
"""

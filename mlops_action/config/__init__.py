"""Options: one model, its sources, and everything that is generated from it."""

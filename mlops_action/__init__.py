"""CI/CD for machine-learning merges: notebooks as build steps, gates, manifests."""

__version__ = "0.1.0"

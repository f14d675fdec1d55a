"""One file per command below ``mlops-action gate``; its ``command`` is a click command."""

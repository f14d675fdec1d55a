"""One file per command below ``mlops-action manifest``; its ``command`` is a click command."""

"""What is done with a manifest after its run: read, verified, compared, explained, exported, signed, rebuilt."""

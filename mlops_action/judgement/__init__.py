"""What a gate says of what was measured: of readings, of rows of predictions, and under which waivers."""

"""A run done again from its manifest alone, stage by stage, up to a level with its failing checks named."""

"""What every part of Fundwatch shares: the nouns, settings, clock, errors and log."""

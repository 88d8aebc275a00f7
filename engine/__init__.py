"""The engine: everything that computes. No Qt below here."""

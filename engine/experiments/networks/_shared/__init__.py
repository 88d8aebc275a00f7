"""What experiments with networks share."""

"""What the experiments of the Schedules tab look like, where their declared plots are not enough."""

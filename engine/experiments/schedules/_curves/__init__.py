"""What `schedules.curves` is made of beside the experiment itself."""

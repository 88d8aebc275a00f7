"""What `schedules.training` is made of beside the experiment itself."""

"""What `landscapes.race` is made of beside the experiment itself."""

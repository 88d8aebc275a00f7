"""What `landscapes.descent` is made of beside the experiment itself."""

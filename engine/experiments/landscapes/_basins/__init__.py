"""What `landscapes.basins` is made of beside the experiment itself."""

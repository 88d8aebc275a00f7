"""What first against second order is made of."""

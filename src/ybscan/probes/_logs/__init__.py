"""What logs tell about themselves: how far they reach, who logged in, whether the clock ran backwards."""

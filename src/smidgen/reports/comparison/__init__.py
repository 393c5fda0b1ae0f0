"""Several models side by side: a comparison item by item, and a leaderboard."""

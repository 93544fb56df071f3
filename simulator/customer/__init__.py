"""SMT's users at the portal: home automation that polls, and the same questions asked at both doors."""

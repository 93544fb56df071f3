"""Of the profile that lives without our code: how it is made, that it is what our own parties do, and its runner."""

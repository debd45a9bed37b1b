"""Whether existing hosts can be logged in to, before anything runs on them."""

"""What a change to a site will do, in the site's terms. Pure: takes sites, a preview and a plan, returns a review."""

"""What a change of a site does, said in the site's words, before anything is applied. Pure: sites, preview and plan in, a review out."""

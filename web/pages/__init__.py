"""Pages for people: browse, search and look at the mirror in a browser, without JavaScript too."""

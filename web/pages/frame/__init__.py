"""What all pages share: addresses, templates, files, headers, posters, errors."""

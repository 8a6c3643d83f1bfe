"""A headless Chromium for the tests of the pages, and what they look at."""

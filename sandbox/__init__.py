"""A YTS API for this machine: practice data over real HTTP, with faults on request."""

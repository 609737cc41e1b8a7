"""What the machine does for a session beside the jobs: reads files, counts, fits, watches, looks for room."""

"""What a person asks of the window as a whole: files, runs to be started, settings, sessions, tables."""

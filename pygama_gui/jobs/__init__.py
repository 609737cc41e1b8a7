"""Works through runs in processes of their own, so that the window never waits and cannot be taken down."""

"""Where a user's pushes go: the tokens that FCM gave to the apps they are logged in with."""

"""MLflow for a team: on PostgreSQL, with an S3-compatible store, and with a password."""

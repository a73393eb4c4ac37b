"""MLflow: the ledger as it is shown there. The only package that imports mlflow."""

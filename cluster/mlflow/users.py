"""Users of the server, each with a password of their own."""

from __future__ import annotations

import secrets

import requests

from cluster.mlflow.server import ADMIN


def add_user(address: str, admin_password: str, name: str) -> str:
    """Makes a user, and returns the password that it was given.

    Raises:
        ValueError: the server refuses, as it does where the name is taken.
    """
    password = secrets.token_urlsafe(18)
    answer = requests.post(
        f"{address}/api/2.0/mlflow/users/create",
        json={"username": name, "password": password},
        auth=(ADMIN, admin_password),
        timeout=30,
    )
    if answer.status_code != 200:
        why = " ".join(answer.text.split())[:200]
        raise ValueError(f"user {name!r}: expected a new user, found: {answer.status_code} {why}")
    return password

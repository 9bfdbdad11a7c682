"""What every test may ask for: randomness, and a tracking store of its own."""

import os

import numpy as np
import pytest

for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "DVC_NO_ANALYTICS"):
    os.environ[name] = "true"
for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "FACELAB_PARENT_RUN_ID", "DVC_STAGE"):
    os.environ.pop(name, None)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """Give the address of an MLflow store, made once: its tables take seconds."""
    folder = tmp_path_factory.mktemp("store")
    return f"sqlite:///{folder / 'mlflow.db'}"


@pytest.fixture
def tracked(store, monkeypatch, tmp_path):
    """Work in an empty folder, with runs going to the session's store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    return tmp_path

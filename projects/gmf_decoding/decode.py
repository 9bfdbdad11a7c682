"""Read every factor of the faces from every layer of a network, by a weighted sum.

Decoders are fitted on the network's training identities, their penalties chosen on the
validation identities, and scored once on the testing identities. A network that was
trained with several seeds is decoded for each; the scores of all are combined.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from facelab_probing import files, recordings
from facelab_probing.decoding import DecodeConfig, Decoding
from facelab_probing.decoding import decode as decode_layer
from facelab_probing.inference import over_seeds
from facelab_probing.intervals import adjust
from tqdm import tqdm

from projects import stage

SUMMARIES = ("mean", "best")


def decode(
    seen: Mapping[str, recordings.Recording], layer: str, config: DecodeConfig
) -> dict[str, Decoding]:
    """Decode one layer of a network, for each of its training seeds.

    Parameters
    ----------
    seen : mapping of str to Recording
        By training seed, of the same stimuli.
    layer : str
    config : DecodeConfig
    """
    found = {}
    for seed, recording in seen.items():
        factors, outputs = table_of(recording)
        found[seed] = decode_layer(
            recording.units(layer),
            factors,
            outputs,
            kinds=recording.attributes["kinds"],
            levels=recording.attributes["levels"],
            split=recording.labels["split"],
            identity=recording.labels["identity"],
            config=config,
            seed=config.tuning.seed,
            name=f"{layer}/{seed}",
        )
    return found


def combine(found: Mapping[str, Decoding], layer: str) -> pd.DataFrame:
    """Put the scores of all training seeds in one table, and those of all together below.

    Returns
    -------
    scores : DataFrame
        Columns ``seed`` ("all" for the mean over seeds, whose interval is over seeds and
        identities) and ``layer``, then those of `facelab_probing.decoding.Decoding`.
    """
    parts = [decoding.scores.assign(seed=name) for name, decoding in found.items()]
    tables = [decoding.scores for decoding in found.values()]
    statistics = [decoding.statistics for decoding in found.values()]
    parts.append(over_seeds(tables, statistics).assign(seed="all"))
    scores = pd.concat(parts, ignore_index=True).assign(layer=layer)
    return scores[["seed", "layer", *tables[0].columns]]


def table_of(recording: recordings.Recording) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]]]:
    """Turn a recording's labels into a table of factors, and say which columns each has.

    Text that is empty is a label that is missing.
    """
    columns, outputs = {}, {}
    for factor in recording.attributes["kinds"]:
        values = recording.labels[factor]
        if values.dtype.kind in "OSU":
            values = np.where(values == "", None, values)
        wide = values.reshape(len(values), -1)
        names = [f"{factor}_{i:03d}" for i in range(wide.shape[1])]
        outputs[factor] = tuple(names) if values.ndim > 1 else (factor,)
        columns |= dict(zip(outputs[factor], wide.T, strict=True))
    return pd.DataFrame(columns), outputs


def main(name: str) -> None:
    """Decode the recording called `name`; write scores, predictions and penalties."""
    with stage.run("gmf_decoding-decode", name) as run:
        config = run.params(DecodeConfig, "gmf_decoding.decode")
        folder = run.read(f"artifacts/record/{name}") / "upright"
        paths = sorted(folder.glob("seed-*.h5"), key=lambda path: int(path.stem[5:]))
        if not paths:
            raise FileNotFoundError(f"{folder} has no recordings: put upright into the row's views")
        seen = {path.stem: recordings.read(path) for path in paths}
        layers = next(iter(seen.values())).layers
        run.describe(f"Steps of the curves: {', '.join(f'{i} {x}' for i, x in enumerate(layers))}.")
        tables, searches = [], []
        with files.create(run.artifacts / "predictions.h5") as file:
            for depth, layer in enumerate(tqdm(layers, desc=f"decoding {name}", unit="layer")):
                found = decode(seen, layer, config)
                tables.append(combine(found, layer))
                searches += [d.history.assign(seed=seed, layer=layer) for seed, d in found.items()]
                report(run, tables[-1], depth, config)
                keep(file, found, layer)
        scores = pd.concat(tables, ignore_index=True).assign(network=name)
        write(run, scores, pd.concat(searches, ignore_index=True))
        summary = main_scores(scores, config)
        summary = summary.assign(p_adjusted=adjust(summary["p"]))  # over factors and layers
        run.table(summary, "summary.csv")
        run.log(summarise(summary))


def report(run: stage.Run, table: pd.DataFrame, depth: int, config: DecodeConfig) -> None:
    """Send a layer's scores to the run: a curve per factor, with the layer as its step."""
    rows = main_scores(table, config)
    run.curves((f"score/{row.factor}", depth, row.score) for row in rows.itertuples())


def main_scores(scores: pd.DataFrame, config: DecodeConfig) -> pd.DataFrame:
    """Keep the one score of each factor and layer that figures show.

    Over all seeds, by the first decoder of its kind; R² or scaled area under the curve; the
    mean over the outputs of a factor that has many.
    """
    of_identity = scores["factor"] == "identity"
    others = scores["decoder"].isin((*config.continuous[:1], *config.categorical[:1]))
    first = scores["decoder"].isin(config.identity[:1]).where(of_identity, others)
    whole = (scores["target"] == scores["factor"]) | (scores["target"] == "mean")
    measured = scores["measure"].isin(("r2", "auc"))
    return scores[(scores["seed"] == "all") & measured & whole & first]


def summarise(scores: pd.DataFrame) -> dict[str, float]:
    """Give each factor's best score over the layers, and the layer (0 = pixels) it is in."""
    depths = {layer: depth for depth, layer in enumerate(scores["layer"].unique())}
    found = {}
    for factor, rows in scores.dropna(subset="score").groupby("factor"):
        best = rows.loc[rows["score"].idxmax()]
        found[f"best_score/{factor}"] = float(best["score"])
        found[f"best_layer/{factor}"] = float(depths[best["layer"]])
    return found


def keep(file: h5py.File, found: Mapping[str, Decoding], layer: str) -> None:
    """Store the predictions for every image: seed / layer / factor / decoder."""
    for seed, decoding in found.items():
        files.reserve(file, sum(4 * values.size for values in decoding.predictions.values()))
        for name, values in decoding.predictions.items():
            stored = file.create_dataset(f"{seed}/{layer}/{name}", data=np.float32(values))
            if classes := decoding.classes.get(name.partition("/")[0]):
                stored.attrs["classes"] = json.dumps([str(each) for each in classes])


def write(run: stage.Run, scores: pd.DataFrame, search: pd.DataFrame) -> None:
    """Write the tables: summaries where they are reviewed, every output beside the predictions."""
    scores = scores[["network", *scores.columns.drop("network")]]
    scores.to_csv(run.artifacts / "scores_of_outputs.csv", index=False, float_format="%.6g")
    whole = (scores["target"] == scores["factor"]) | scores["target"].isin(SUMMARIES)
    run.table(scores[whole], "scores.csv")
    search.to_csv(run.artifacts / "penalties.csv", index=False, float_format="%.6g")
    run.attach(Path(run.artifacts / "penalties.csv"))


if __name__ == "__main__":
    stage.start(main)

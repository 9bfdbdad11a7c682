"""Identity itself: who is it, among identities that no decoder or network was fitted to?

An identity cannot be decoded without examples, so images of the testing identities are
divided into folds, each decoded from the others. The penalty comes from the same
procedure on the validation identities: no testing image has a say in it. Where nobody is
in validation, each fold takes its penalty from the other folds, and has no say in it either.
"""

import numpy as np

from facelab_probing.categorical import DECODERS, Categorical, classify
from facelab_probing.inference import Reading, Resamples, orders
from facelab_probing.jackknife import gallery_left_out, pseudovalues, unbiased
from facelab_probing.partition import FEWEST_FOLDS, Partition, rounds_of
from facelab_probing.resampling import accuracy_null, auc_null, shuffled
from facelab_probing.scores import balanced_accuracy, scaled_auc
from facelab_probing.spectrum import decompose, project
from facelab_probing.studies import Studies, choose


def decode_identity(
    partition: Partition,
    decoders: tuple[str, ...],
    folds: int,
    studies: Studies,
    resamples: Resamples,
) -> tuple[list[Reading], dict[str, np.ndarray]]:
    """Tell the testing identities apart.

    Returns
    -------
    readings : list of Reading
        Two per decoder: "auc" and "balanced_accuracy". The interval is for telling apart
        as many other identities, each a class and a distractor. The null shuffles labels
        over images.
    predictions : dict of array, (N, identities)
        Probabilities of the testing images, by "identity/decoder"; NaN elsewhere. Columns
        in the order of the sorted testing identities.
    """
    readings, predictions = [], {}
    codes = np.searchsorted(resamples.identities, partition.identity[partition.scoring])
    once = len(partition.rounds) == 1
    crossed = None if once or not decoders else _cross(partition, folds, resamples.seed)
    for decoder in decoders:
        if crossed:
            person = Categorical(codes, tuple(resamples.identities), within_identity=False)
            tuned, shares = classify(crossed, "identity", person, decoder, studies)
        else:
            tuned = choose_penalty(partition, decoder, folds, studies)
            held_out = Gallery(partition, partition.scoring, decoder, folds, resamples.seed)
            shares = held_out.probabilities(tuned)
        everywhere = np.full((len(partition.units), shares.shape[1]), np.nan)
        everywhere[partition.scoring] = shares
        predictions[f"identity/{decoder}"] = everywhere
        readings += _score(("identity", "identity", decoder, tuned), codes, shares, resamples)
    return readings, predictions


def stratify(codes: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fold of each image, every class spread evenly over the folds.

    Raises
    ------
    ValueError
        If there are fewer than two folds or a class has fewer than two images.
    """
    smallest = np.bincount(codes).min()
    if folds < 2 or smallest < 2:
        raise ValueError(
            f"folds {folds} and the fewest images of an identity {smallest} must both be >= 2"
        )
    order = np.lexsort((rng.random(len(codes)), codes))
    fold = np.empty(len(codes), dtype=int)
    fold[order] = np.arange(len(codes)) % folds
    return fold


def _cross(partition: Partition, folds: int, seed: int) -> Partition:
    """Divide the scored images, whoever they show, into rounds of folds."""
    if folds < FEWEST_FOLDS:
        raise ValueError(
            f"folds {folds} must be at least {FEWEST_FOLDS} where nobody is in validation: "
            "one to score, one to tune on, one to fit"
        )
    rows = partition.scoring
    identity = partition.identity[rows]
    codes = np.unique(identity, return_inverse=True)[1]
    dealt = stratify(codes, folds, np.random.default_rng(seed))
    rounds = rounds_of(dealt, np.ones(len(codes), bool))
    return Partition(partition.units[rows], identity, rounds, partition.weakest)


class Gallery:
    """The decoders of each fold, fitted once for all penalties.

    Parameters
    ----------
    partition : Partition
    rows : bool array, (N,)
        The images whose identities are told apart; n of them.
    decoder : str
        A key of `categorical.DECODERS`.
    folds, seed : int
        Into how many folds the images of each identity are dealt, and how.
    """

    def __init__(
        self, partition: Partition, rows: np.ndarray, decoder: str, folds: int, seed: int
    ) -> None:
        units, identity = partition.units[rows], partition.identity[rows]
        names, self.codes = np.unique(identity, return_inverse=True)
        self.classes, self.kind, self.parts = len(names), DECODERS[decoder], []
        fold = stratify(self.codes, folds, np.random.default_rng(seed))
        for held_out in (fold == number for number in range(folds)):
            fitted = ~held_out
            spectrum = decompose(units[fitted], identity[fitted], partition.weakest)
            model = self.kind.fit(spectrum, self.codes[fitted], self.classes)
            self.parts.append((held_out, model, spectrum))
        self.units, self.identity = units, identity

    def probabilities(self, penalty: float, units: np.ndarray | None = None) -> np.ndarray:
        """Return each image's probabilities (n, K), from the decoder that did not meet it.

        Parameters
        ----------
        units : array, (n, U), optional
            The same images shown otherwise (upside down); by default as they were fitted.
        """
        shares = np.empty((len(self.codes), self.classes))
        shown = self.units if units is None else units
        for held_out, model, spectrum in self.parts:
            here = shown[held_out], self.identity[held_out]
            scores = project(spectrum, *here, may_overlap=True)
            shares[held_out] = self.kind.probabilities(model, scores, penalty)
        return shares


def choose_penalty(partition: Partition, decoder: str, folds: int, studies: Studies) -> float:
    """Choose the penalty with which the validation identities are told apart best."""
    inner = Gallery(partition, partition.tuning, decoder, folds, studies.config.seed)

    def score_at(penalty: float) -> np.ndarray:
        return np.array([scaled_auc(inner.codes, inner.probabilities(penalty))])

    tuned = choose(studies, score_at, ["identity"], factor="identity", decoder=decoder)
    return float(tuned.penalties[0])


def _score(
    labels: tuple[str, str, str, float],
    codes: np.ndarray,
    shares: np.ndarray,
    resamples: Resamples,
) -> list[Reading]:
    """Score the probabilities; widen the null, since they come from the labels' own folds.

    Two images of different folds are compared twice, once from either side. Shuffled
    labels with kept predictions miss that the two comparisons agree, which doubles the
    variance of what depends linearly on them. AUC does, nearly; accuracy less, and its p
    is on the careful side.
    """
    images = np.arange(len(codes))
    mixed = shuffled(codes, images, orders(resamples, np.zeros_like(codes), "identity"))
    left_out = gallery_left_out(codes, shares)
    readings = []
    for measure, score_of, null_of in (
        ("auc", scaled_auc, auc_null),
        ("balanced_accuracy", balanced_accuracy, accuracy_null),
    ):
        score, null = score_of(codes, shares), null_of(mixed, shares)
        null = null.mean() + np.sqrt(2) * (null - null.mean())
        values = pseudovalues(score, unbiased(score, left_out[measure]), codes)
        sizes = len(codes), len(resamples.identities)
        readings.append(Reading(*labels, measure, score, values, null, *sizes))
    return readings

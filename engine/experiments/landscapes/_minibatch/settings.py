"""The settings of batch, mini-batch and online SGD on linear regression."""

from __future__ import annotations

from engine.spec import Settings, Spec, SpecError, choice, number

SIZES = {"online": 1, "batch_8": 8, "batch_32": 32, "batch_128": 128, "batch_512": 512}
ALL, OWN = "all", "own"
BATCHES = {
    "online": "Online (1)", "batch_8": "Batch 8", "batch_32": "Batch 32", "batch_128": "Batch 128",
    "batch_512": "Batch 512", ALL: "All samples", OWN: "Own size",
}  # fmt: skip
REFERENCE = 32  # the batch size at which a scaled rate is the one set
CHAPTER_SAMPLES, CHAPTER_INPUTS = 1000, 10
_MADE = {"data": ("own",)}
_PLANE = {"plane": ("eigenvectors",)}


class OwnBatch(Settings):
    """A batch of the reader's own size."""

    size: int = number(16, 1, 10_000, "Batch size", "Samples in a batch", log=True)


class MinibatchSpec(Spec):
    """One field for each setting; see the fields' own help."""

    batches: tuple[str, ...] = choice(
        ("online", "batch_8", "batch_32", "all"), BATCHES, "Batches", "How many samples each update sees",
        group="Batches",
    )  # fmt: skip
    learning_rate: float = number(
        0.01, 1e-7, 10.0, "Learning rate", "Of every update; stable below 2 / largest eigenvalue at the most",
        group="Batches", live=True, log=True,
    )  # fmt: skip
    scaling: str = choice(
        "same", {"same": "The same for all", "linear": "In proportion to size", "root": "To the root of size"},
        "Rate and batch", "Whether larger batches have a larger rate; the rate set is that of batches of 32",
        group="Batches",
    )  # fmt: skip
    sampling: str = choice(
        "shuffle",
        {"chapter": "Shuffled as the chapter", "shuffle": "Shuffled every epoch",
         "replacement": "Drawn with replacement", "additive": "Full gradient plus noise"},
        "Sampling", "Where a batch comes from. All contestants go through one and the same row of samples",
        group="Batches",
    )  # fmt: skip
    last_batch: str = choice(
        "true", {"chapter": "Full size, as chapter", "true": "Its own size"}, "Last batch divided by",
        "Where the batch size does not divide the samples, the last batch of an epoch is smaller", group="Batches",
        shown_when={"sampling": ("chapter", "shuffle")},
    )  # fmt: skip
    sigma: float = number(
        1.0, 0.0, 100.0, "Noise of one sample", "Standard deviation of what is added in every direction for a batch "
        "of 1; for a batch of B it is divided by the root of B", group="Batches",
        shown_when={"sampling": ("additive",)},
    )  # fmt: skip
    seed: int = number(0, 0, 2**32 - 1, "Seed", "Of batches and noise", group="Batches")
    data: str = choice(
        "chapter", {"chapter": "The chapter's regression", "own": "A regression of your own"}, "Data",
        "1,000 samples of ten inputs as in 10.2.1, or your own", group="Data",
    )  # fmt: skip
    samples: int = number(1000, 4, 10_000, "Samples", "How many", log=True, group="Data", shown_when=_MADE)
    inputs: int = number(2, 2, 50, "Inputs", "How many weights there are", log=True, group="Data", shown_when=_MADE)
    condition: float = number(
        10.0, 1.0, 1e6, "Condition number", "Largest over smallest eigenvalue of the Hessian, exact in the samples",
        log=True, group="Data", shown_when=_MADE,
    )  # fmt: skip
    noise: float = number(
        0.1, 0.0, 100.0, "Noise of the targets", "Standard deviation", group="Data", shown_when=_MADE,
    )  # fmt: skip
    data_seed: int = number(0, 0, 2**32 - 1, "Seed of the data", "Of inputs, weights and noise", group="Data",
                            shown_when=_MADE)  # fmt: skip
    start: str = choice(
        "zero", {"zero": "Weights 0", "minimum": "At the minimum"}, "Start", "Where everybody begins", group="Run",
    )  # fmt: skip
    clock: str = choice(
        "updates", {"updates": "One update of each", "samples": "As many samples for each"}, "One step is",
        "With equal samples small batches make many updates in a step and large ones few", group="Run",
    )  # fmt: skip
    samples_per_step: int = number(
        1000, 1, 100_000, "Samples in a step", "Seen by each contestant", log=True, group="Run",
        shown_when={"clock": ("samples",)},
    )  # fmt: skip
    steps: int = number(3200, 1, 10_000_000, "Steps", "How long the run is", log=True, group="Run")
    settled: int = number(
        500, 0, 1_000_000, "Averages from update", "The variance is averaged over the updates after so many since the "
        "start or the last change of the rate", group="Run",
    )  # fmt: skip
    plane: str = choice(
        "eigenvectors", {"eigenvectors": "Two eigenvectors", "path": "Way without noise"}, "Plane",
        "Of the map, through the minimum: two eigenvectors of the Hessian, or what the way without noise turns in",
        group="Map",
    )  # fmt: skip
    first: int = number(1, 1, 50, "First eigenvector", "1 has the largest eigenvalue", group="Map", shown_when=_PLANE)
    second: int = number(
        0, 0, 50, "Second eigenvector", "0: the one with the smallest eigenvalue", group="Map", shown_when=_PLANE,
    )  # fmt: skip
    own: OwnBatch = OwnBatch()


def shape(spec: MinibatchSpec) -> tuple[int, int]:
    """How many samples and inputs the data have."""
    return (CHAPTER_SAMPLES, CHAPTER_INPUTS) if spec.data == "chapter" else (spec.samples, spec.inputs)


def size_of(spec: MinibatchSpec, name: str) -> int:
    """A contestant's batch size."""
    return shape(spec)[0] if name == ALL else spec.own.size if name == OWN else SIZES[name]


def rate_of(spec: MinibatchSpec, name: str) -> float:
    """A contestant's learning rate."""
    share = size_of(spec, name) / REFERENCE
    return float(spec.learning_rate * {"same": 1.0, "linear": share, "root": share**0.5}[spec.scaling])


def axes_of(spec: MinibatchSpec) -> tuple[int, int]:
    """The two eigenvectors of the map, counted from 0."""
    return spec.first - 1, (spec.second or shape(spec)[1]) - 1


def check(spec: MinibatchSpec) -> None:
    """Raise SpecError for what no single field can see."""
    samples, inputs = shape(spec)
    if not spec.batches:
        raise SpecError("batches", "'' is not allowed; name at least one")
    if samples <= inputs:
        raise SpecError("samples", f"{samples} is not allowed with {inputs} inputs; give more than {inputs}")
    for name in spec.batches:
        if size_of(spec, name) > samples:
            key = "own.size" if name == OWN else "batches"
            raise SpecError(key, f"batches of {size_of(spec, name)} are not allowed; there are {samples} samples")
    if spec.plane == "eigenvectors":
        for key, axis in zip(("first", "second"), axes_of(spec), strict=True):
            if axis >= inputs:
                raise SpecError(key, f"{axis + 1} is not allowed; there are {inputs} eigenvectors")
        if len(set(axes_of(spec))) == 1:
            raise SpecError("second", f"{spec.second} is not allowed; give another than First eigenvector")

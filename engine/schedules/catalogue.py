"""What the app says about each schedule: parameters with their ranges, formulas and sources.

Defaults are torch's wherever torch has one; where it has none (step size, milestones, gamma) they are the chapter's or
ones that show in a run of a hundred steps.
"""

from __future__ import annotations

import math

from . import cosines, cycles, decays, warmups
from .drawn import drawn
from .schedule import TOTAL, Parameter, Schedule

LONGEST = 100_000_000
MOST_RATE = 1e6


def _steps(name: str, default: int | str, title: str, help: str, low: int = 1) -> Parameter:
    inherits = "total steps" if default == TOTAL else ""
    return Parameter(name, default, low, LONGEST, title, help, integer=True, inherits=inherits, log=True)


def _floor() -> Parameter:
    return Parameter("eta_min", 0.0, 0.0, MOST_RATE, "Lowest rate", "Where the fall ends.")


def _gamma(default: float, help: str) -> Parameter:
    return Parameter("gamma", default, 0.0, 1.0, "Gamma", help)


def _share(name: str, default: float, title: str, help: str) -> Parameter:
    return Parameter(name, default, 0.0, 1.0, title, help)


_WARMUP = _steps("warmup_steps", 10, "Warm-up steps", "How long the rate rises at the beginning.", low=0)
_FACTOR = _share(
    "warmup_factor", 0.0, "Warm-up begins at", "Share of the peak at step 0; PyTorch's LinearLR cannot begin at 0."
)
_LEFT = r"\eta_t = \eta \frac{t}{W} \quad (t < W)"

_MOMENTA = (
    ("base_momentum", "Lowest momentum", "The momentum where the rate is highest."),
    ("max_momentum", "Highest momentum", "The momentum where the rate is lowest."),
)


def _momenta(low: float, high: float) -> tuple[Parameter, ...]:
    return tuple(
        _share(name, value, title, help) for (name, title, help), value in zip(_MOMENTA, (low, high), strict=True)
    )


PLATEAU = Schedule(
    "plateau", "Reduce on plateau",
    (r"\eta_{t+1} = \max(\gamma \eta_t, \eta_{min}) \quad (b_t > p)",
     r"\eta_{t+1} = \eta_t \quad (b_t \leq p)"),
    "PyTorch, ReduceLROnPlateau",
    (
        Parameter("mode", "min", 0, 0, "Better is", "Whether a good metric is low or high.",
                  choices={"min": "lower", "max": "higher"}),
        Parameter("factor", 0.1, 0.0, 0.999999, "Factor", "By what the rate is multiplied."),
        Parameter("patience", 10, 0, LONGEST, "Patience", "How many bad metrics in a row are put up with.",
                  integer=True, log=True),
        Parameter("threshold", 1e-4, 0.0, 1e6, "Threshold", "How much better counts as better.", log=True),
        Parameter("threshold_mode", "rel", 0, 0, "Threshold is", "A share of the best metric, or a number as it is.",
                  choices={"rel": "a share of the best", "abs": "absolute"}),
        Parameter("cooldown", 0, 0, LONGEST, "Cooldown", "How many metrics after a cut do not count as bad.",
                  integer=True, log=True),
        Parameter("min_lr", 0.0, 0.0, MOST_RATE, "Lowest rate", "No cut goes below it."),
        Parameter("eps", 1e-8, 0.0, 1.0, "Smallest cut", "A cut by no more than this is not made.", log=True),
    ),
    None, torch="ReduceLROnPlateau",
)  # fmt: skip

_DECLARED = (
    Schedule("constant", "Constant", (r"\eta_t = \eta",), "Robbins and Monro 1951, without the decay they ask for", (),
             decays.constant, torch="ConstantLR"),
    Schedule("step", "Step", (r"\eta_t = \eta \gamma^{\lfloor t / s \rfloor}",), "the chapter, 10.2.3",
             (_steps("step_size", 30, "Step size", "After how many steps the rate is cut, each time."),
              _gamma(0.1, "By what each cut multiplies the rate.")),
             decays.step, torch="StepLR"),
    Schedule("multi_step", "Multi-step", (r"\eta_t = \eta \gamma^{|\{m : m \leq t\}|}",),
             "He et al. 2016, Deep residual learning, sec. 4.2",
             (Parameter("milestones", (50, 75), 1, LONGEST, "Milestones", "The steps at which the rate is cut.",
                        integer=True),
              _gamma(0.1, "By what each cut multiplies the rate.")),
             decays.multi_step, torch="MultiStepLR"),
    Schedule("exponential", "Exponential", (r"\eta_t = \eta \gamma^t",), "the chapter, 10.2.3",
             (_gamma(math.exp(-0.03), "By what every step multiplies the rate; the chapter's is exp(-0.03)."),),
             decays.exponential, torch="ExponentialLR"),
    Schedule("cosine", "Cosine",
             (r"\eta_t = \eta_{min} + \frac{\eta - \eta_{min}}{2} (1 + \cos \frac{\pi t}{T})",),
             "Loshchilov and Hutter 2017, SGDR, eq. 5",
             (_steps("T_max", TOTAL, "Half period", "After how many steps the lowest rate is reached."), _floor()),
             cosines.cosine, torch="CosineAnnealingLR"),
    Schedule("cosine_restarts", "Cosine with restarts",
             (r"\eta_t = \eta_{min} + \frac{\eta - \eta_{min}}{2} (1 + \cos \frac{\pi t_{cur}}{T_i})",
              r"T_{i+1} = T_{mult} T_i"),
             "Loshchilov and Hutter 2017, SGDR, eq. 5",
             (_steps("T_0", 25, "First period", "After how many steps the first restart comes."),
              Parameter("T_mult", 1, 1, 1000, "Growth", "By what each period is longer than the last.", integer=True),
              _floor()),
             cosines.cosine_restarts, torch="CosineAnnealingWarmRestarts"),
    Schedule("polynomial", "Polynomial", (r"\eta_t = \eta (1 - \frac{\min(t, T)}{T})^p",),
             "Chen et al. 2018, DeepLab, sec. 4.1",
             (_steps("total_iters", TOTAL, "Length", "After how many steps the rate is 0."),
              Parameter("power", 1.0, 0.0, 100.0, "Power", "1 is a straight line; higher falls sooner.")),
             decays.polynomial, torch="PolynomialLR"),
    Schedule("linear", "Linear", (r"\eta_t = \eta (a + (b - a) \frac{\min(t, T)}{T})",),
             "PyTorch, LinearLR",
             (Parameter("start_factor", 1 / 3, 1e-12, 1.0, "From", "Share of the peak at step 0."),
              _share("end_factor", 1.0, "To", "Share of the peak at the end."),
              _steps("total_iters", TOTAL, "Length", "After how many steps the end is reached.")),
             decays.linear, torch="LinearLR"),
    Schedule("inverse_sqrt", "Inverse square root",
             (_LEFT, r"\eta_t = \frac{\eta}{\sqrt{1 + (t - W) / \tau}} \quad (t \geq W)"),
             "Vaswani et al. 2017, Attention is all you need, eq. 3",
             (_WARMUP,
              Parameter("timescale", None, 1e-6, 1e9, "Timescale", "After how many steps it has fallen to 1 / sqrt 2.",
                        inherits="warm-up steps", log=True)),
             decays.inverse_sqrt),
    Schedule("cyclic", "Cyclic", (r"\eta_t = \eta_{low} + (\eta - \eta_{low}) \, h_t \, s_t",),
             "Smith 2017, Cyclical learning rates for training neural networks, sec. 3",
             (Parameter("base_lr", None, 0.0, MOST_RATE, "Lowest rate", "Where every cycle begins.",
                        inherits="a tenth", log=True),
              _steps("step_size_up", 20, "Steps up", "How long it rises."),
              Parameter("step_size_down", None, 1, LONGEST, "Steps down", "How long it falls.", integer=True,
                        inherits="as many as up", log=True),
              Parameter("mode", "triangular", 0, 0, "Height", "What becomes of the height from cycle to cycle.",
                        choices={"triangular": "always the same", "triangular2": "halved each cycle",
                                 "exp_range": "times gamma each step"}),
              _gamma(1.0, "With exp_range: by what every step multiplies the height."),
              *_momenta(0.8, 0.9)),
             cycles.cyclic, cycles.cyclic_momentum, "CyclicLR"),
    Schedule("one_cycle", "One-cycle",
             (r"\frac{\eta}{d} \to \eta \to \frac{\eta}{d f} \quad (\text{two phases})",
              r"\frac{\eta}{d} \to \eta \to \frac{\eta}{d} \to \frac{\eta}{d f} \quad (\text{three})"),
             "Smith and Topin 2019, Super-convergence",
             (_steps("total_steps", TOTAL, "Length", "How long the cycle is; PyTorch refuses to go beyond it."),
              _share("pct_start", 0.3, "Rising share", "Which share of the cycle the rate rises."),
              Parameter("anneal_strategy", "cos", 0, 0, "Shape", "How it goes from one rate to the next.",
                        choices={"cos": "cosine", "linear": "straight"}),
              Parameter("div_factor", 25.0, 1.0, 1e12, "Start divisor", "It begins at the peak over this.", log=True),
              Parameter("final_div_factor", 1e4, 1e-3, 1e12, "End divisor", "It ends at the first rate over this.",
                        log=True),
              Parameter("three_phase", False, 0, 1, "Three phases", "Back to the first rate before the last fall."),
              *_momenta(0.85, 0.95)),
             cycles.one_cycle, cycles.one_cycle_momentum, "OneCycleLR"),
    Schedule("warmup_cosine", "Warm-up, then cosine",
             (_LEFT, r"\eta_t = \eta_{min} + \frac{\eta - \eta_{min}}{2} (1 + \cos \pi u)",
              r"u = \frac{t - W}{T - W} \quad (t \geq W)"),
             "Goyal et al. 2017, Accurate, large minibatch SGD, sec. 2.2; the chapter, 10.2.3",
             (_WARMUP, _FACTOR,
              Parameter("T_max", None, 1, LONGEST, "Half period", "After how many steps behind the warm-up the lowest "
                        "rate is reached.", integer=True, inherits="what is left", log=True),
              _floor()),
             warmups.warmup_cosine),
    Schedule("warmup_linear", "Warm-up, then linear",
             (_LEFT, r"\eta_t = \eta (1 + (b - 1) \frac{t - W}{T - W})"),
             "Devlin et al. 2019, BERT, sec. A.2",
             (_WARMUP, _FACTOR,
              Parameter("total_iters", None, 1, LONGEST, "Length", "After how many steps behind the warm-up the end is "
                        "reached.", integer=True, inherits="what is left", log=True),
              _share("end_factor", 0.0, "To", "Share of the peak at the end.")),
             warmups.warmup_linear),
    Schedule("wsd", "Warm-up, stable, decay",
             (_LEFT, r"\eta_t = \eta \quad (W \leq t \leq S)",
              r"\eta_t = \eta - (\eta - \eta_{min}) \, f(u) \quad (t > S)", r"u = \frac{t - S}{T - S}"),
             "Hu et al. 2024, MiniCPM, sec. 4; Hägele et al. 2024, Scaling laws beyond fixed training durations",
             (_WARMUP, _share("decay_share", 0.2, "Decay share", "Which share of the run the fall at the end takes."),
              Parameter("decay", "linear", 0, 0, "Fall", "The shape of the fall.",
                        choices={"linear": "straight", "cosine": "cosine", "sqrt": "1 - square root"}),
              _floor()),
             warmups.wsd),
    PLATEAU,
    Schedule("drawn", "Drawn by hand", (r"\eta_t = \eta \, y(\frac{t}{T - 1})",), "your own hand",
             (Parameter("knots", ((0.0, 0.1), (0.1, 1.0), (0.6, 0.5), (1.0, 0.0)), 0.0, 1.0, "Knots",
                        "Points x:y; x a share of the run, y a share of the peak. Drag them in the picture."),
              Parameter("smooth", False, 0, 1, "Smooth", "Joined by cubics that do not overshoot.")),
             drawn),
)  # fmt: skip

SCHEDULES: dict[str, Schedule] = {schedule.name: schedule for schedule in _DECLARED}
"""Every schedule by its name; `plateau` has no function (see engine.schedules.plateau)."""

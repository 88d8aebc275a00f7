"""What the app says about each rule: hyper-parameters with their ranges, states, sources and formulas.

Defaults are those of torch.optim; Lion, which torch does not have, takes its authors'.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import rules
from .rule import Convention, Hyper, Rule, StateNumber

ALMOST_ONE = 0.999999


def _fraction(name: str, default: float, title: str, help: str) -> Hyper:
    """A share below 1: how much of the past is kept."""
    return Hyper(name, default, 0.0, ALMOST_ONE, title, help)


def _momentum() -> Hyper:
    return Hyper("momentum", 0.9, 0.0, 1.0, "Momentum", "Share of the velocity kept at each step.")


def _eps(default: float) -> Hyper:
    return Hyper("eps", default, 1e-16, 1.0, "Epsilon", "Keeps the division by the root finite.", log=True)


def _decay(default: float = 0.0, decoupled: bool = False) -> Hyper:
    pull = "Shrinks the parameters directly." if decoupled else "L2: pulls the parameters towards 0."
    return Hyper("weight_decay", default, 0.0, 10.0, "Weight decay", pull)


def _betas(beta2: float = 0.999) -> tuple[Hyper, Hyper]:
    return (
        _fraction("beta1", 0.9, "Beta 1", "Share of the past in the average of the gradients."),
        _fraction("beta2", beta2, "Beta 2", "Share of the past in the average that sets the scale."),
    )


def _formulas(*pytorch: str, book: tuple[str, ...] = (), l2: bool = True) -> Mapping[Convention, tuple[str, ...]]:
    """The lines of both conventions; with `l2` each begins with the gradient and its own factor of L2."""
    own = book or pytorch
    if not l2:
        plain = r"g_t = \nabla J(\theta_{t-1})"
        return {"pytorch": (plain, *pytorch), "book": (plain, *own)}
    first = r"g_t = \nabla J(\theta_{t-1}) + \lambda \theta_{t-1}"
    # A book formula may bring its own gradient line (Nesterov's is taken elsewhere).
    brings = book and book[0].startswith("g_t =")
    second = () if brings else (r"g_t = \nabla J(\theta_{t-1}) + 2 \lambda \theta_{t-1}",)
    return {"pytorch": (first, *pytorch), "book": (*second, *own)}


_L2 = "With weight decay the book's L2 term has no factor one half, so its gradient is twice PyTorch's."
_VELOCITY = StateNumber("velocity", "v_t", "momentum")
_M = StateNumber("m", "m_t", "momentum")
_V = StateNumber("v", "v_t", "scale")
_SQUARE = StateNumber("square_average", "E[g^2]_t", "scale")
_M_LINE = r"m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t"
_V_LINE = r"v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2"
_M_HAT = r"\hat{m}_t = \frac{m_t}{1 - \beta_1^t}"
_V_HAT = r"\hat{v}_t = \frac{v_t}{1 - \beta_2^t}"
_ADAM_STEP = r"\theta_t = \theta_{t-1} - \eta \frac{\hat{m}_t}{\sqrt{\hat{v}_t} + \epsilon}"
_E_LINE = r"E[g^2]_t = \alpha E[g^2]_{t-1} + (1 - \alpha) g_t^2"
_RATE = r"\eta_t = \frac{\eta}{1 + (t - 1) d}"

_DECLARED = (
    Rule(
        "sgd",
        "SGD",
        "Robbins and Monro 1951, A stochastic approximation method",
        1e-3,
        rules.sgd,
        (_decay(),),
        _formulas(r"\theta_t = \theta_{t-1} - \eta g_t"),
        differs=_L2,
    ),
    Rule(
        "momentum",
        "Momentum",
        "Polyak 1964, Some methods of speeding up the convergence",
        1e-3,
        rules.momentum,
        (_momentum(), _decay()),
        _formulas(
            r"v_t = \gamma v_{t-1} + g_t",
            r"\theta_t = \theta_{t-1} - \eta v_t",
            book=(r"v_t = \gamma v_{t-1} + \eta g_t", r"\theta_t = \theta_{t-1} - v_t"),
        ),
        (_VELOCITY,),
        book=rules.book_momentum,
        differs="The book keeps the learning rate inside the velocity, so a change of rate acts on new "
        "gradients only; its L2 term has no factor one half.",
    ),
    Rule(
        "nesterov",
        "Nesterov",
        "Nesterov 1983; Sutskever et al. 2013, eq. 3-4",
        1e-3,
        rules.nesterov,
        (_momentum(), _decay()),
        _formulas(
            r"v_t = \gamma v_{t-1} + g_t",
            r"\theta_t = \theta_{t-1} - \eta (g_t + \gamma v_t)",
            book=(
                r"g_t = \nabla J(\theta_{t-1} - \gamma v_{t-1}) + 2 \lambda (\theta_{t-1} - \gamma v_{t-1})",
                r"v_t = \gamma v_{t-1} + \eta g_t",
                r"\theta_t = \theta_{t-1} - v_t",
            ),
        ),
        (_VELOCITY,),
        book=rules.book_nesterov,
        look_ahead=rules.book_look_ahead,
        differs="The book takes the gradient at the looked-ahead point and keeps the learning rate inside "
        "the velocity; PyTorch's parameters are the book's looked-ahead points; its L2 term has no factor one half.",
    ),
    Rule(
        "adagrad",
        "AdaGrad",
        "Duchi, Hazan and Singer 2011, Adaptive subgradient methods",
        1e-2,
        rules.adagrad,
        (
            Hyper("lr_decay", 0.0, 0.0, 1.0, "Rate decay d", "The rate falls as 1 / (1 + (t - 1) d)."),
            _eps(1e-10),
            _decay(),
        ),
        _formulas(
            r"G_t = G_{t-1} + g_t^2",
            _RATE,
            r"\theta_t = \theta_{t-1} - \frac{\eta_t}{\sqrt{G_t} + \epsilon} g_t",
            book=(
                r"G_t = G_{t-1} + g_t^2",
                _RATE,
                r"\theta_t = \theta_{t-1} - \frac{\eta_t}{\sqrt{G_t + \epsilon}} g_t",
            ),
        ),
        (StateNumber("sum_of_squares", "G_t", "scale"),),
        book=rules.book_adagrad,
        differs="The book has epsilon inside the root, PyTorch outside; the book's L2 term has no factor one half.",
    ),
    Rule(
        "adadelta",
        "AdaDelta",
        "Zeiler 2012, ADADELTA, Algorithm 1",
        1.0,
        rules.adadelta,
        (_fraction("rho", 0.9, "Rho", "Share of the past in both averages."), _eps(1e-6), _decay()),
        _formulas(
            r"E[g^2]_t = \rho E[g^2]_{t-1} + (1 - \rho) g_t^2",
            r"\delta_t = \frac{\sqrt{E[\delta^2]_{t-1} + \epsilon}}{\sqrt{E[g^2]_t + \epsilon}} g_t",
            r"E[\delta^2]_t = \rho E[\delta^2]_{t-1} + (1 - \rho) \delta_t^2",
            r"\theta_t = \theta_{t-1} - \eta \delta_t",
        ),
        (_SQUARE, StateNumber("step_average", r"E[\delta^2]_t", "scale")),
        differs=_L2,
    ),
    Rule(
        "rmsprop",
        "RMSprop",
        "Tieleman and Hinton 2012, Lecture 6.5",
        1e-2,
        rules.rmsprop,
        (
            _fraction("alpha", 0.99, "Alpha", "Share of the past in the squared average (the book's beta)."),
            _eps(1e-8),
            _decay(),
        ),
        _formulas(
            _E_LINE,
            r"\theta_t = \theta_{t-1} - \frac{\eta}{\sqrt{E[g^2]_t} + \epsilon} g_t",
            book=(
                r"E[g^2]_t = \beta E[g^2]_{t-1} + (1 - \beta) g_t^2",
                r"\theta_t = \theta_{t-1} - \frac{\eta}{\sqrt{E[g^2]_t + \epsilon}} g_t",
            ),
        ),
        (_SQUARE,),
        book=rules.book_rmsprop,
        differs="The book has epsilon inside the root, PyTorch outside; the book's L2 term has no factor one half.",
    ),
    Rule(
        "adam",
        "Adam",
        "Kingma and Ba 2015, Algorithm 1",
        1e-3,
        rules.adam,
        (*_betas(), _eps(1e-8), _decay()),
        _formulas(_M_LINE, _V_LINE, _M_HAT, _V_HAT, _ADAM_STEP),
        (_M, _V),
        differs=_L2,
    ),
    Rule(
        "adamw",
        "AdamW",
        "Loshchilov and Hutter 2019, Algorithm 2",
        1e-3,
        rules.adamw,
        (*_betas(), _eps(1e-8), _decay(0.01, decoupled=True)),
        _formulas(
            _M_LINE,
            _V_LINE,
            _M_HAT,
            _V_HAT,
            r"\theta_t = \theta_{t-1} - \eta \lambda \theta_{t-1} "
            r"- \eta \frac{\hat{m}_t}{\sqrt{\hat{v}_t} + \epsilon}",
            l2=False,
        ),
        (_M, _V),
        decoupled=True,
    ),
    Rule(
        "nadam",
        "NAdam",
        "Dozat 2016, Algorithm 2",
        2e-3,
        rules.nadam,
        (
            *_betas(),
            _eps(1e-8),
            _decay(),
            Hyper("momentum_decay", 4e-3, 0.0, 1.0, "Momentum decay", "How fast the momentum rises to beta 1."),
        ),
        _formulas(
            r"\mu_t = \beta_1 (1 - \frac{1}{2} 0.96^{t \psi})",
            _M_LINE,
            _V_LINE,
            _V_HAT,
            r"\hat{m}_t = \frac{\mu_{t+1} m_t}{1 - \prod_{i=1}^{t+1} \mu_i} "
            r"+ \frac{(1 - \mu_t) g_t}{1 - \prod_{i=1}^{t} \mu_i}",
            _ADAM_STEP,
        ),
        (_M, _V, StateNumber("momentum_product", r"\prod \mu_i", "correction")),
        (0.0, 0.0, 1.0),
        differs=_L2,
    ),
    Rule(
        "amsgrad",
        "AMSGrad",
        "Reddi, Kale and Kumar 2018, Algorithm 2",
        1e-3,
        rules.amsgrad,
        (*_betas(), _eps(1e-8), _decay()),
        _formulas(
            _M_LINE,
            _V_LINE,
            r"v^{max}_t = \max(v^{max}_{t-1}, v_t)",
            _M_HAT,
            r"\hat{v}_t = \frac{v^{max}_t}{1 - \beta_2^t}",
            _ADAM_STEP,
        ),
        (_M, _V, StateNumber("v_max", "v^{max}_t", "scale")),
        differs=_L2,
    ),
    Rule(
        "adamax",
        "Adamax",
        "Kingma and Ba 2015, Algorithm 2",
        2e-3,
        rules.adamax,
        (*_betas(), _eps(1e-8), _decay()),
        _formulas(
            _M_LINE,
            r"u_t = \max(\beta_2 u_{t-1}, |g_t| + \epsilon)",
            _M_HAT,
            r"\theta_t = \theta_{t-1} - \eta \frac{\hat{m}_t}{u_t}",
        ),
        (_M, StateNumber("u", "u_t", "scale")),
        differs=_L2,
    ),
    Rule(
        "lion",
        "Lion",
        "Chen et al. 2023, Symbolic discovery of optimization algorithms, Algorithm 2",
        1e-4,
        rules.lion,
        (*_betas(0.99), _decay(decoupled=True)),
        _formulas(
            r"c_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t",
            r"\theta_t = \theta_{t-1} - \eta (\mathrm{sign}(c_t) + \lambda \theta_{t-1})",
            r"m_t = \beta_2 m_{t-1} + (1 - \beta_2) g_t",
            l2=False,
        ),
        (_M,),
        decoupled=True,
    ),
)

RULES: dict[str, Rule] = {rule.name: rule for rule in _DECLARED}

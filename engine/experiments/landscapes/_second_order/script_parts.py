"""The fixed pieces of the script: the problem by autograd, torch's own optimizers, the loops."""

from __future__ import annotations

CLASSIFIER = '''

class Objective:
    """The loss on these samples; every derivative by autograd. Parameters and results are NumPy's."""

    def __init__(self, x, y, sizes):
        self.x, self.y, self.sizes, self.l2 = x, y, sizes, L2

    def on(self, rows):
        return Objective(self.x[rows], self.y[rows], self.sizes)

    def layers(self, p):
        """Each layer's inputs, with a column of ones, and its pre-activations."""
        a, found, first = torch.from_numpy(self.x), [], 0
        for i in range(len(self.sizes) - 1):
            a = torch.cat([a, torch.ones(len(a), 1)], dim=1)
            rows, columns = self.sizes[i] + 1, self.sizes[i + 1]
            z = a @ p[first : first + rows * columns].reshape(rows, columns)
            first += rows * columns
            found.append((a, z))
            a = torch.tanh(z)
        return found

    def loss(self, p):
        z, y = self.layers(p)[-1][1], torch.from_numpy(self.y)
        entropy = torch.nn.functional.binary_cross_entropy_with_logits if CLASSES == 1 else (
            torch.nn.functional.cross_entropy)
        return entropy(z, y) + 0.5 * self.l2 * (p @ p)

    def value(self, p):
        with torch.no_grad():
            return float(self.loss(torch.from_numpy(p)))

    def value_gradient(self, p):
        p = torch.tensor(p, requires_grad=True)
        loss = self.loss(p)
        loss.backward()
        return loss.item(), p.grad.numpy()

    def hessian(self, p):
        p = torch.tensor(p, requires_grad=True)
        (gradient,) = torch.autograd.grad(self.loss(p), p, create_graph=True)
        return np.array([torch.autograd.grad(one, p, retain_graph=True)[0].numpy() for one in gradient])

    def logs(self, layers):
        """The log-probability of every class, [N, classes]."""
        z = layers[-1][1]
        two = torch.nn.functional.logsigmoid
        return torch.cat([two(-z), two(z)], dim=1) if CLASSES == 1 else torch.log_softmax(z, dim=1)

    def scores(self, p):
        """Roots of the probabilities, as they are, times the log-probabilities: [N, classes]."""
        logs = self.logs(self.layers(p))
        return torch.exp(0.5 * logs).detach() * logs

    def jacobian(self, p):
        """The derivatives of the scores, [N x classes, n]: a layer's are its inputs times those of its
        pre-activations."""
        layers = self.layers(torch.tensor(p, requires_grad=True))
        logs = self.logs(layers)
        every, rows = torch.exp(0.5 * logs).detach() * logs, []
        for k in range(logs.shape[1]):
            told = torch.autograd.grad(every[:, k].sum(), [z for _, z in layers], retain_graph=True)
            rows.append(torch.cat([(a[:, :, None] * g[:, None, :]).flatten(1) for (a, _), g in zip(layers, told)], 1))
        return torch.cat(rows).detach().numpy()

    def fisher(self, p):
        rows = self.jacobian(p)
        return rows.T @ rows / len(self.x)

    def fisher_form(self, p, vectors):
        """v' F w from the derivatives of the log-probabilities along each vector."""
        turned = [torch.autograd.functional.jvp(self.scores, torch.tensor(p), torch.tensor(v))[1].ravel().numpy()
                  for v in vectors]
        turned = np.array(turned)
        return turned @ turned.T / len(self.x)

    def factors(self, p):
        layers = self.layers(torch.tensor(p, requires_grad=True))
        logs = self.logs(layers)
        outer = [0.0] * len(layers)
        for k in range(logs.shape[1]):
            told = torch.autograd.grad(logs[:, k].sum(), [z for _, z in layers], retain_graph=True)
            for i, g in enumerate(told):
                outer[i] = outer[i] + (g.T * logs[:, k].detach().exp()) @ g / len(self.x)
        return [((a.T @ a / len(self.x)).detach().numpy(), g.numpy()) for (a, _), g in zip(layers, outer)]
'''

QUADRATIC_CLASS = '''
class Objective:
    """f(x, y) = .01 x^2 + 5 y^2: the loss of a linear layer with Gaussian outputs, so its Fisher matrix is its Hessian
    and one Kronecker factor, beside a 1."""

    l2 = 0.0

    def loss(self, p):
        return 0.01 * p[0] ** 2 + 5.0 * p[1] ** 2

    def value(self, p):
        return float(self.loss(p))

    def value_gradient(self, p):
        p = torch.tensor(p, requires_grad=True)
        loss = self.loss(p)
        loss.backward()
        return loss.item(), p.grad.numpy()

    def hessian(self, p):
        return torch.autograd.functional.hessian(self.loss, torch.tensor(p)).numpy().copy()

    fisher = hessian

    def fisher_form(self, p, vectors):
        return vectors @ self.hessian(p) @ vectors.T

    def factors(self, p):
        return [(self.hessian(p), np.ones((1, 1)))]
'''

TORCH_RULES = '''\
class TorchRule:
    """SGD or Adam of torch.optim, stepped like the others."""

    def __init__(self, name, start, settings):
        self.p = torch.tensor(start, requires_grad=True)
        self.optimizer = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[name]([self.p], **settings)

    def step(self, objective, settings):
        self.optimizer.param_groups[0].update(settings)
        self.optimizer.zero_grad()
        objective.loss(self.p).backward()
        self.optimizer.step()
        return self.p.detach().numpy().copy()


class OurMethod:
    """A method of the app, from the state it begins with."""

    def __init__(self, name, start, settings):
        self.take, self.state = STEPS_OF[name], KEPT[name](start)

    def step(self, objective, settings):
        with np.errstate(all="ignore"):
            self.take(self.state, objective, settings)
        return self.state["p"]
'''

STARTS = {
    "newton": "lambda p: dict(p=p.copy(), damping=0.0, set=-1.0, held=0)",
    "natural": "lambda p: dict(p=p.copy(), damping=0.0, set=-1.0, held=0)",
    "kfac": "lambda p: dict(p=p.copy(), damping=0.0, set=-1.0, held=0, last=np.zeros(len(p)))",
    "bfgs": "lambda p: dict(p=p.copy(), inverse=np.eye(len(p)), pairs=0)",
    "lbfgs": "lambda p: dict(p=p.copy(), steps=np.zeros((0, len(p))), changes=np.zeros((0, len(p))))",
}

RACE_LOOP = '''\
def rows_of(step):
    """The samples of a step: the same for all."""
    return np.sort(generator(SEED, "batch", step).choice(len(WHOLE.x), BATCH, replace=False))


def run(name, steps):
    """The parameters after so many steps; None where they, or the loss, are no numbers any more."""
    settings = dict(SETTINGS[name])
    method = (OurMethod if name in KEPT else TorchRule)(name, START, settings)
    p = START
    for step in range(1, steps + 1):
        settings.update(CHANGES.get(name, {}).get(step - 1, {}))
        objective = WHOLE.on(rows_of(step)) if BATCH else WHOLE
        try:
            p = method.step(objective, settings)
        except RuntimeError as failure:
            print(f"{name}: {failure}")
            return None
        value, gradient = WHOLE.value_gradient(p)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return None
    return p


for name, (steps, end) in APP.items():
    found = run(name, steps)
    if end is None:
        print(f"{name:8} lost by step {steps}, as in the app")
        assert found is None, f"{name} is finite after {steps} steps, in the app it was lost there"
        continue
    assert found is not None, f"{name} was lost within {steps} steps, in the app it was not"
    apart = float(np.max(np.abs(found - end) / np.maximum(1.0, np.abs(end))))
    print(f"{name:8} step {steps:5}  loss {WHOLE.value(found):.12g}  parameters {apart:.1e} from the app's")
    assert apart <= 1e-8, f"{name} ended {apart:.1e} from where it ended in the app"
print("Every contestant ended where it ended in the app.")
'''

SWEEP_LOOP = """\
for sizes, spec, told in APP:
    whole = Objective(*samples(spec), sizes)
    start = first_weights(sizes, generator(SEED, "first weights"))
    first = np.linalg.norm(whole.value_gradient(start)[1])
    print(f"{len(start)} parameters")
    for name, (steps, expected, there, changes) in told.items():
        settings, p = dict(SETTINGS[name]), start
        method = (OurMethod if name in KEPT else TorchRule)(name, start, settings)
        for step in range(steps):
            settings.update(changes.get(step, {}))
            p = method.step(whole, settings)
        loss, gradient = whole.value_gradient(p)
        share = np.linalg.norm(gradient) / first
        print(f"    {name:8} {steps:5} steps  loss {loss:.12g}  {loss - expected:+.1e} from the app's")
        assert abs(loss - expected) <= 1e-7 * max(1.0, abs(expected)), f"{name} is at {loss}, in the app at {expected}"
        assert not there or share <= TOLERANCE * (1 + 1e-4), f"{name} has {share} of its first gradient"
print("Every contestant stood at the same loss as in the app.")
"""

"""The exact Gaussian process, its ensemble and its forms for many tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toughopt.optimizer import Surrogate
from toughopt.optimizer.ensemble import EnsembleGaussianProcess
from toughopt.optimizer.fitting import GPSettings
from toughopt.optimizer.gp import GaussianProcess
from toughopt.optimizer.kernels import KERNELS
from toughopt.optimizer.likelihood import Priors, Problem, negative_log_posterior
from toughopt.optimizer.local import LocalGaussianProcess, NeighbourGaussianProcess
from toughopt.optimizer.observations import Table
from toughopt.optimizer.posterior import FitFailed
from toughopt.optimizer.surrogates import SklearnSurrogate

SLOW = settings(deadline=None, derandomize=True, max_examples=15)
seeds = st.integers(0, 10_000)


def table(x, y, noise_std=np.nan, censored=False):
    n = len(y)
    return Table(x, y, np.full(n, noise_std), np.full(n, censored), np.arange(n))


def smooth(x):
    return 5.0 + 2.0 * np.sin(4.0 * x[:, 0]) + x[:, 1]


def fixed(d, length=0.5, noise=1e-2, power=1.0):
    theta = [np.log(length)] * d + [0.0, np.log(noise), 0.0]
    return {"fits": [{"power": power, "theta": theta, "trend": [0.0, 0.0], "cost": 0.0}]}


SURROGATES = {
    "gp": GaussianProcess,
    "published": lambda: GaussianProcess(GPSettings(kernel="squared_exponential", tied=True)),
    "trend": lambda: GaussianProcess(GPSettings(noise="trend")),
    "slopes": lambda: GaussianProcess(GPSettings(slopes=0.6)),
    "ensemble": EnsembleGaussianProcess,
    "local": LocalGaussianProcess,
    "neighbours": lambda: NeighbourGaussianProcess(neighbours=20),
    "sloping neighbours": lambda: NeighbourGaussianProcess(GPSettings(slopes=0.6), neighbours=20),
    "forest": lambda: SklearnSurrogate("forest"),
    "skopt": lambda: SklearnSurrogate("skopt"),
}


@pytest.mark.parametrize("name", SURROGATES)
def test_every_surrogate_learns_conditions_and_stays_as_it_is(name):
    rng = np.random.default_rng(0)
    x, new = rng.random((40, 2)), rng.random((60, 2))
    empty = SURROGATES[name]()
    assert isinstance(empty, Surrogate)
    fitted = empty.fit(table(x, smooth(x)), {}, np.random.default_rng(1))
    belief = fitted.predict(new)
    assert np.corrcoef(belief.mean, smooth(new))[0, 1] > 0.9
    assert (belief.std >= 0).all() and np.isfinite(belief.std).all()
    before = fitted.predict(new).mean.copy()
    sure = fitted.condition(new[:3]).predict(new[:3])
    if name not in ("forest", "skopt"):  # refitted, these may move a little either way
        assert (sure.latent_std <= belief.latent_std[:3] + 1e-9).all()
    np.testing.assert_array_equal(fitted.predict(new).mean, before)
    assert fitted.condition(np.zeros((0, 2))).predict(new).mean == pytest.approx(before)
    with pytest.raises(FitFailed):
        empty.fit(table(np.zeros((0, 2)), np.zeros(0)), {}, rng)


@SLOW
@given(seeds, st.sampled_from(KERNELS), st.booleans())
def test_gradients_match_finite_differences(seed, kernel, tied):
    rng = np.random.default_rng(seed)
    n, d = 12, 3
    problem = Problem(
        x=rng.random((n, d)),
        y=rng.standard_normal(n),
        free=rng.integers(0, 2, n).astype(float),
        fixed=0.1 * rng.random(n),
        trend=rng.standard_normal(n),
        basis=rng.standard_normal((n, 2)),
        basis_sd=np.array([1.0, 0.5]),
        kernel=kernel,
        tied=tied,
    )
    theta = rng.standard_normal(d + 3) * 0.7
    step = 1e-5 * np.eye(d + 3)
    if tied:  # the length scales only ever move together
        theta[:d] = theta[0]
        step = np.vstack([step[:d].sum(axis=0), step[d:]])
    _, gradient = negative_log_posterior(theta, problem, Priors())
    if tied:
        assert np.ptp(gradient[:d]) == 0.0
        gradient = np.concatenate([[gradient[:d].sum()], gradient[d:]])
    numeric = [
        (
            negative_log_posterior(theta + s, problem, Priors())[0]
            - negative_log_posterior(theta - s, problem, Priors())[0]
        )
        / 2e-5
        for s in step
    ]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-5)


@SLOW
@given(seeds, st.sampled_from([1.0, 0.5, 0.0]))
def test_noise_free_data_are_interpolated(seed, power):
    rng = np.random.default_rng(seed)
    x = rng.random((15, 2))
    y = smooth(x)
    model = GaussianProcess().at(table(x, y, noise_std=0.0), fixed(2, power=power))
    np.testing.assert_allclose(model.predict(x).mean, y, rtol=1e-3)


@SLOW
@given(seeds)
def test_one_more_test_never_raises_the_variance_anywhere(seed):
    rng = np.random.default_rng(seed)
    x, new = rng.random((20, 3)), rng.random((30, 3))
    model = GaussianProcess().at(table(x, smooth(x)), fixed(3))
    before = model.predict(new).latent_std
    after = model.condition(new[:1]).predict(new).latent_std
    assert (after <= before + 1e-9).all() and after[0] < before[0]


@SLOW
@given(seeds)
def test_conditioning_is_what_a_fresh_factor_gives(seed):
    rng = np.random.default_rng(seed)
    x, new = rng.random((20, 2)), rng.random((5, 2))
    one = GaussianProcess().at(table(x, smooth(x)), fixed(2))
    grown = one.condition(new[:1]).condition(new[1:3]).predict(new)
    whole = one.condition(new[:3]).predict(new)
    np.testing.assert_allclose(grown.latent_std, whole.latent_std, rtol=1e-6)
    np.testing.assert_allclose(grown.latent_mean, one.predict(new).latent_mean, rtol=1e-6)


@SLOW
@given(seeds)
def test_the_order_of_observations_does_not_matter_at_fixed_hyperparameters(seed):
    rng = np.random.default_rng(seed)
    x, new, order = rng.random((25, 3)), rng.random((10, 3)), rng.permutation(25)
    y = smooth(x) + 0.1 * rng.standard_normal(25)
    a = GaussianProcess().at(table(x, y), fixed(3)).predict(new)
    b = GaussianProcess().at(table(x[order], y[order]), fixed(3)).predict(new)
    np.testing.assert_allclose(a.mean, b.mean, rtol=1e-6)
    np.testing.assert_allclose(a.std, b.std, rtol=1e-6)


def test_leave_one_out_is_what_leaving_one_out_gives():
    rng = np.random.default_rng(3)
    x = rng.random((12, 2))
    y = smooth(x)
    model = GaussianProcess().at(table(x, y, noise_std=0.2), fixed(2))
    mean, std, target = model.leave_one_out()
    shift = model.transform
    keep = np.arange(12) != 4
    other = GaussianProcess()
    from dataclasses import replace

    from toughopt.optimizer.kernels import matern52

    state = model.state
    kernel = matern52(x, x, np.full(2, 0.5)) + 0.01  # and that of the mean
    noise = np.diag(state.noise)
    gain = kernel[4, keep] @ np.linalg.inv((kernel + noise)[np.ix_(keep, keep)])
    assert mean[4] == pytest.approx(gain @ target[keep])
    assert std[4] ** 2 == pytest.approx(kernel[4, 4] + state.noise[4] - gain @ kernel[keep, 4], rel=1e-6)
    assert shift.inverse(target) == pytest.approx(y)
    assert replace(state) is not state and other.prior_column is None


def test_the_likelihood_finds_the_transform_under_which_the_data_are_smooth():
    rng = np.random.default_rng(0)
    x = rng.random((60, 2))
    latent = 3.0 * np.sin(3.0 * x[:, 0]) + x[:, 1]
    skewed = GaussianProcess().fit(table(x, np.exp(latent + 0.2 * rng.standard_normal(60))), {}, rng)
    plain = GaussianProcess().fit(table(x, 20.0 + latent + 0.2 * rng.standard_normal(60)), {}, rng)
    assert skewed.transform.power == 0.0
    assert skewed.noise_std * skewed.transform.scale == pytest.approx(0.2, rel=0.4)
    assert abs(plain.predict(x).mean - 20.0 - latent).mean() < 0.2


def test_values_of_both_signs_are_not_transformed():
    x = np.linspace(0, 1, 9)[:, None]
    model = GaussianProcess().fit(table(x, x[:, 0] - 0.5), {}, np.random.default_rng(0))
    assert model.transform.power == 1.0


def test_noise_that_is_known_is_believed():
    x = np.array([[0.2], [0.2], [0.8]])
    data = Table(x, np.array([1.0, 5.0, 3.0]), np.array([0.01, 2.0, 0.01]), np.zeros(3, bool), np.array([0, 0, 1]))
    assert GaussianProcess().at(data, fixed(1)).predict(x[:1]).mean[0] == pytest.approx(1.0, abs=0.05)


def test_a_lower_bound_pulls_up_and_a_harmless_one_does_not():
    x = np.linspace(0, 1, 7)[:, None]
    y = np.full(7, 10.0) + np.array([0.1, -0.1, 0.0, 0.05, -0.05, 0.1, -0.1])
    y[3] = 14.0
    bound = np.arange(7) == 3
    data = Table(x, y, np.full(7, 0.2), bound, np.arange(7))
    plain = Table(x, y, np.full(7, 0.2), np.zeros(7, bool), np.arange(7))
    at = fixed(1, length=0.3)
    censored, exact = (GaussianProcess().at(t, at).predict(x[3:4]).mean[0] for t in (data, plain))
    assert censored > exact > 13.0
    y_low = y.copy()
    y_low[3] = 5.0  # "at least 5" among tens says nothing
    low = GaussianProcess().at(Table(x, y_low, np.full(7, 0.2), bound, np.arange(7)), at).predict(x[3:4]).mean[0]
    assert low == pytest.approx(10.0, abs=1.0)


def test_slopes_carry_a_trend_on_to_where_nothing_was_tested():
    rng = np.random.default_rng(3)
    x = np.column_stack([0.5 * rng.random(15), rng.random(15)])
    ahead = np.array([[1.0, 0.2], [0.9, 0.8]])
    trend = lambda u: 20.0 * u[:, 0] - 5.0 * u[:, 1]  # noqa: E731
    y = trend(x) + 0.3 * rng.standard_normal(15)

    def error(slopes):
        model = GaussianProcess(GPSettings(powers=(1.0,), slopes=slopes)).at(table(x, y), fixed(2, noise=0.05))
        return np.abs(model.predict(ahead).mean - trend(ahead)).mean()

    assert error(0.6) < 0.85 * error(0.0)


def test_a_trend_is_dropped_where_the_tests_speak_against_one():
    rng = np.random.default_rng(4)
    x = rng.random((60, 2))
    waves = lambda u: np.sin(12.0 * u[:, 0]) * np.cos(9.0 * u[:, 1])  # noqa: E731
    slope = lambda u: 3.0 * u[:, 0] - 2.0 * u[:, 1]  # noqa: E731

    def chosen(landscape):
        data = table(x, landscape(x) + 0.05 * np.random.default_rng(5).standard_normal(60))
        model = GaussianProcess(GPSettings(powers=(1.0,), slopes=1.0)).fit(data, {}, np.random.default_rng(0))
        return model.settings.slopes

    assert chosen(waves) == 0.0 and chosen(slope) == 1.0


def test_a_simulation_prior_helps_where_it_is_right_and_is_overruled_where_it_is_wrong():
    rng = np.random.default_rng(1)
    x, new = rng.random((40, 2)), rng.random((200, 2))

    def error(guess, n, prior_column):
        width = 3 if prior_column else 2
        columns = np.column_stack([x, guess(x)])[:n, :width]
        data = table(columns, smooth(x[:n]) + 0.1 * np.random.default_rng(2).standard_normal(n))
        model = GaussianProcess(prior_column=prior_column).fit(data, {}, np.random.default_rng(0))
        ahead = np.column_stack([new, guess(new)])[:, :width]
        return np.abs(model.predict(ahead).mean - smooth(new)).mean()

    assert error(smooth, 6, 2) < 0.5 * error(smooth, 6, None)
    misleading = lambda u: 10.0 - smooth(u)  # noqa: E731
    assert error(misleading, 40, 2) < 2.0 * error(misleading, 40, None) + 0.05


def test_many_tests_are_predicted_as_well_as_by_an_exact_model_of_the_nearest_thousand():
    rng = np.random.default_rng(0)
    x, new = rng.random((6000, 4)), 0.3 + 0.2 * rng.random((100, 4))

    def truth(u):
        return 10.0 + 3.0 * np.sin(6.0 * u[:, 0] * u[:, 1]) + 2.0 * u[:, 2]

    y = truth(x) + 0.3 * rng.standard_normal(6000)
    many = NeighbourGaussianProcess().fit(table(x, y), {}, np.random.default_rng(1))
    near = np.argsort(((x - new.mean(axis=0)) ** 2).sum(axis=1))[:1000]
    exact = GaussianProcess().fit(table(x[near], y[near]), {}, np.random.default_rng(1))
    rms = [np.sqrt(((m.predict(new).mean - truth(new)) ** 2).mean()) for m in (many, exact)]
    assert rms[0] <= 1.25 * rms[1] < 0.05  # of a noise of 0.3

"""Normal, beta, binomial and Student distributions without numpy or scipy.

The incomplete beta function is Lentz's continued fraction, with the factor before it by Loader's saddle-point expansion
(Loader 2000, "Fast and accurate computation of binomial probabilities"): no digits are lost when counts are large.
"""

from __future__ import annotations

import math
from statistics import NormalDist

_TINY = 1e-300
_EPSILON = 1e-16


def normal_quantile(probability: float) -> float:
    """The standard normal quantile; infinite at 0 and 1."""
    if probability <= 0:
        return -math.inf
    return math.inf if probability >= 1 else NormalDist().inv_cdf(probability)


def normal_cdf(value: float) -> float:
    """P(Z ≤ value), accurate in both tails."""
    return math.erfc(-value / math.sqrt(2)) / 2


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a, b > 0."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_tail(1 - x, b, a)
    return _beta_tail(x, a, b)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = probability, by Newton steps that never leave the bracket."""
    if probability <= 0 or probability >= 1:
        return 0.0 if probability <= 0 else 1.0
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(200):
        error = beta_cdf(x, a, b) - probability
        low, high = (low, x) if error > 0 else (x, high)
        density = _binomial_density(a, b, x) * a * b / ((a + b) * x * (1 - x))
        step = x - error / density if density > 0 else -1.0
        following = step if low <= step <= high else (low + high) / 2
        if not error or abs(following - x) <= 4e-16 * following:
            return x
        x = following
    return x


def binomial_cdf(successes: int, trials: int, probability: float = 0.5) -> float:
    """P(X ≤ successes) of a binomial count."""
    if successes < 0 or successes >= trials:
        return 0.0 if successes < 0 else 1.0
    return beta_cdf(1 - probability, trials - successes, successes + 1)


def binomial_pmf(successes: int, trials: int, probability: float = 0.5) -> float:
    """P(X = successes) of a binomial count."""
    if not 0 <= successes <= trials:
        return 0.0
    if successes in {0, trials}:
        return float((probability if successes else 1 - probability) ** trials)
    return _binomial_density(successes, trials - successes, probability)


def student_quantile(probability: float, freedom: float) -> float:
    """The quantile of Student's t; from the normal one above 1000 degrees (Abramowitz & Stegun 26.7.5)."""
    if freedom > 1000:
        return _near_normal(normal_quantile(probability), freedom)
    beyond = min(probability, 1 - probability)
    rest = beta_quantile(2 * beyond, freedom / 2, 0.5)
    size = math.sqrt(freedom * (1 - rest) / rest) if rest > 0 else math.inf
    return -size if probability < 0.5 else size


def student_cdf(value: float, freedom: float) -> float:
    """P(T ≤ value) of Student's t."""
    if freedom > 1e10 or math.isinf(value):
        return normal_cdf(value)
    beyond = beta_cdf(freedom / (freedom + value * value), freedom / 2, 0.5) / 2
    return beyond if value < 0 else 1 - beyond


def _near_normal(z: float, freedom: float) -> float:
    """Student's quantile that belongs to the normal quantile ``z``; off by less than 1e-11 up to |z| = 6."""
    if math.isinf(z) or math.isinf(freedom):
        return z
    s = z * z
    terms = (
        (s + 1) / 4,
        ((5 * s + 16) * s + 3) / 96,
        (((3 * s + 19) * s + 17) * s - 15) / 384,
        ((((79 * s + 776) * s + 1482) * s - 1920) * s - 945) / 92160,
    )
    total = 0.0
    for term in reversed(terms):
        total = (total + term) / freedom
    return z * (1 + total)


def _beta_tail(x: float, a: float, b: float) -> float:
    """I_x(a, b) where the continued fraction converges fast: x below about a / (a + b)."""
    return _binomial_density(a, b, x) * b / (a + b) * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of I_x(a, b), by Lentz's method."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 100_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            value *= d * c
        if abs(d * c - 1) < 3 * _EPSILON:
            break
    return value


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _binomial_density(a: float, b: float, x: float) -> float:
    """Γ(a+b+1) / (Γ(a+1) Γ(b+1)) · x^a · (1-x)^b for real a, b > 0."""
    if x <= 0 or x >= 1:
        return 0.0
    n = a + b
    log = _stirling(n) - _stirling(a) - _stirling(b) - _deviance(a, n * x) - _deviance(b, n * (1 - x))
    return math.exp(log) * math.sqrt(n / (2 * math.pi * a * b))


def _stirling(n: float) -> float:
    """Log Γ(n+1) less Stirling's approximation of it."""
    if n < 16:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - math.log(2 * math.pi) / 2
    square = n * n
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n


def _deviance(x: float, mean: float) -> float:
    """X log(x / mean) + mean - x, without cancellation where both are close (Loader's bd0)."""
    if abs(x - mean) >= 0.1 * (x + mean):
        return x * math.log(x / mean) + mean - x
    v = (x - mean) / (x + mean)
    total, term = (x - mean) * v, 2 * x * v
    for j in range(1, 1000):
        term *= v * v
        following = total + term / (2 * j + 1)
        if following == total:
            break
        total = following
    return total

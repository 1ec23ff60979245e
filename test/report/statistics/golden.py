"""Golden numbers of units, intervals, verdicts and the bootstrap, by scipy, statsmodels and numpy.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
venv/bin/python test/report/statistics/golden.py > test/report/statistics/golden.json
"""

import json

import numpy as np
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind

# Student (1908): additional hours of sleep by two soporifics, the data of R's `sleep`.
drug_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
drug_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def interval(result, confidence):
    return [float(end) for end in result.confidence_interval(confidence)]


def moments(values):
    return {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1)), "n": len(values)}


quantiles = [[p, df, float(stats.t.ppf(p, df))] for p in (0.95, 0.975) for df in (1, 1.5, 2, 9, 17.78, 149, 1e4)]
paired = stats.ttest_rel(drug_1, drug_2)
unpaired = stats.ttest_ind(drug_1, drug_2, equal_var=False)

# Two one-sided tests of ours against the paper's mean and sd, by Welch: statsmodels has p-values of raw data.
rng = np.random.default_rng(15)
tost = []
for shift, sd, n, m, margin in ((0.1, 0.8, 10, 10, 2), (1.2, 0.8, 10, 10, 2), (1.9, 1.5, 3, 10, 2), (6, 0.5, 5, 15, 2), (0.3, 3, 10, 10, 1)):
    def exact(mean, spread, size):
        raw = rng.normal(size=size)
        return mean + spread * (raw - raw.mean()) / raw.std(ddof=1)

    ours, paper = exact(86.7 + shift, sd, n), exact(86.7, 0.8, m)
    p, _, _ = ttost_ind(ours, paper, -margin, margin, usevar="unequal")
    means = CompareMeans(DescrStatsW(ours), DescrStatsW(paper))
    # Beyond the margin: one-sided tests of the minimal effect.
    above = stats.ttest_ind(ours - margin, paper, equal_var=False, alternative="greater").pvalue
    below = stats.ttest_ind(ours + margin, paper, equal_var=False, alternative="less").pvalue
    low, high = means.tconfint_diff(alpha=0.1, usevar="unequal")
    tost.append({
        "ours": [float(x) for x in ours], "paper": moments(paper), "margin": margin,
        "equivalent": bool(p < 0.05), "different": bool(min(above, below) < 0.05), "interval": [float(low), float(high)],
    })


def r2(actual, predicted):
    return 1 - np.sum((actual - predicted) ** 2) / np.sum((actual - np.mean(actual)) ** 2)


def bootstrap(size, resamples):
    """Quantiles of R² over models drawn with replacement, each with its five checkpoints, of two features and of their difference."""
    draw = np.random.default_rng(size)
    level = draw.normal(size=size)
    actual = np.round(level[:, None] + np.linspace(0, 1, 5)[None, :], 3)
    first = np.round(actual + draw.normal(size=(size, 1)) * 0.4 + draw.normal(size=(size, 5)) * 0.1, 3)
    second = np.round(actual + draw.normal(size=(size, 1)) * 0.6 + draw.normal(size=(size, 5)) * 0.1, 3)
    scores = np.empty((resamples, 2))
    for b in range(resamples):
        chosen = draw.integers(size, size=size)
        scores[b] = [r2(actual[chosen].ravel(), one[chosen].ravel()) for one in (first, second)]
    tail = stats.norm.cdf(-np.sqrt(size / (size - 1)) * stats.t.ppf(0.975, size - 1))

    def describe(values):
        return {"interval": [float(end) for end in np.quantile(values, [tail, 1 - tail])], "error": float(np.std(values, ddof=1))}

    return {
        "actual": actual.tolist(), "first": first.tolist(), "second": second.tolist(), "tail": float(tail),
        "r2": [float(r2(actual.ravel(), one.ravel())) for one in (first, second)],
        "of_first": describe(scores[:, 0]), "of_difference": describe(scores[:, 0] - scores[:, 1]),
    }


print(json.dumps({
    "quantiles": quantiles,
    "sleep": {
        "drug_1": drug_1, "drug_2": drug_2,
        "mean_interval": interval(stats.ttest_1samp(drug_1, 0), 0.95),
        "paired": interval(paired, 0.95),
        "welch": {"interval": interval(unpaired, 0.95), "df": float(unpaired.df)},
    },
    "tost": tost,
    "bootstrap": [bootstrap(size, 100_000) for size in (12, 40)],
}, indent=1))

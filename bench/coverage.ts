/** How often the intervals of R² hold its true value, by the number of test models: `bun bench/coverage.ts`, a few seconds. */
import { Random } from '../src/base/random.ts';
import {
  bootstrapError,
  percentileInterval,
  type Resampled,
  resampleR2,
  sumsOf,
} from '../src/report/statistics/bootstrap.ts';
import { type Interval, tInterval } from '../src/report/statistics/student.ts';
import { r2 } from '../src/stages/property-prediction/ridge.ts';

const trials = 600;
const checkpoints = 5;
const [errorOfModel, errorOfCheckpoint] = [0.4, 0.1];
// Targets are a standard normal number of the model, and 0 to 1 in equal steps by checkpoint, whose variance is 1/8.
const truth = 1 - (errorOfModel ** 2 + errorOfCheckpoint ** 2) / (1 + 1 / 8);

/** Some test models at their checkpoints: their names, targets, and predictions whose errors are mostly their model's. */
function draw(models: number, random: Random) {
  return Array.from({ length: models }, (_, m) => {
    const [level, error] = [random.normal(), errorOfModel * random.normal()];
    return Array.from({ length: checkpoints }, (_, i) => {
      const actual = level + i / (checkpoints - 1);
      return { model: `${m}`, actual, predicted: actual + error + errorOfCheckpoint * random.normal() };
    });
  }).flat();
}

for (const models of [5, 10, 30, 150]) {
  const holds = { percentile: 0, t: 0 };
  for (let trial = 0; trial < trials; trial++) {
    const rows = draw(models, new Random(trial, 'coverage', models));
    const [actual, predicted] = [rows.map((row) => row.actual), rows.map((row) => row.predicted)];
    const names = rows.map(({ model }) => model);
    const resampled = resampleR2(sumsOf(names, actual, predicted)) as Resampled;
    const score = r2(Float64Array.from(actual), Float64Array.from(predicted));
    const error = bootstrapError(resampled) as number;
    const isIn = ([low, high]: Interval) => Number(low <= truth && truth <= high);
    holds.percentile += isIn(percentileInterval(resampled, 0.95) as Interval);
    holds.t += isIn(tInterval({ value: score, error, df: models - 1 }, 0.9));
  }
  const share = (count: number) => `${((100 * count) / trials).toFixed(1)} %`;
  console.log(
    `${models} test models: the 95 % interval in ${share(holds.percentile)}, the 90 % one of verdicts in ${share(holds.t)}`,
  );
}

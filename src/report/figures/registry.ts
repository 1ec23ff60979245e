/** Every figure of an experiment, in the order of the report. A new one is one file and one line here. */
import type { Plan } from '../../experiment/types.ts';
import type { RunResults } from '../measure.ts';
import { buildPivot } from '../pivot.ts';
import type { Table } from '../table.ts';
import { drawByArchitecture } from './architectures.ts';
import { drawBySetting } from './by-setting.ts';
import type { Figure } from './draw.ts';
import { drawEmbeddings } from './embeddings.ts';
import type { Evidence } from './evidence.ts';
import { drawAccuracyOverFeatures, drawFeaturesByLayer, type FeaturedNetwork } from './features.ts';
import { drawHeatMap } from './heat-map.ts';
import { drawNovelty } from './novelty.ts';
import { drawRadar } from './radar.ts';
import { drawSpectra } from './spectra.ts';
import { drawCurves, drawFineTuning, drawPredictions } from './training.ts';
import { drawLossByWindow } from './windows.ts';

/** What figures are drawn of. */
export interface Content {
  plan: Plan;
  results: RunResults;
  tables: readonly Table[];
  evidence: Evidence;
}

/** As many curves as there are distinct colours. */
const mostCurves = 7;

/** Each draws what it finds data for. */
const figures: readonly ((content: Content) => readonly (Figure | null)[])[] = [
  ({ tables }) => [drawRadar(tables)],
  ({ plan, results }) => {
    const generation = plan.runs.filter(({ task }) => task === 'generation');
    const request = { metric: 'accuracy', rows: ['epoch'], columns: ['method'], where: {} };
    const pivot = buildPivot('fine-tuning', request, generation, results);
    return pivot.cells.some((cell) => cell.measured) ? drawFineTuning(pivot) : [];
  },
  ({ plan, results }) => [drawNovelty(plan.runs, results)],
  ({ plan, results }) => [drawByArchitecture(plan.runs, results)],
  ({ evidence: { predictions } }) => [predictions && drawPredictions(predictions.run, predictions.points)],
  ({ evidence: { embeddings } }) => [embeddings && drawEmbeddings(embeddings)],
  ({ evidence }) => {
    const networks = evidence.analyses
      .slice(0, mostCurves)
      .flatMap(({ title, networks }) =>
        networks.map((network): FeaturedNetwork => ({ series: title, ...network })),
      );
    return networks.length > 0 ? [drawFeaturesByLayer(networks), drawAccuracyOverFeatures(networks)] : [];
  },
  ({ evidence: { analyses } }) => [drawSpectra(analyses)],
  ({ plan, results }) => [drawLossByWindow(plan.runs, results)],
  ({ tables, plan }) => drawBySetting(tables, plan.runs),
  ({ tables }) => tables.filter(({ id }) => id === null).map(drawHeatMap),
  ({ evidence: { curves } }) => [
    curves.length > 0 ? drawCurves(curves.slice(0, mostCurves), curves.length) : null,
  ],
];

/** The figures that an experiment has data for. */
export const drawFigures = (content: Content): Figure[] =>
  figures.flatMap((draw) => draw(content).filter((figure) => figure !== null));

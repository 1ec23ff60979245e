/** The implementation of every stage, loaded when it is asked for: none of the tensor code is loaded before. */

import type { StageName } from '../experiment/types.ts';
import type { StageImplementation } from './stage.ts';

export const stages: Record<StageName, () => Promise<StageImplementation>> = {
  dataset: async () => (await import('./dataset/run.ts')).datasetStage,
  zoo: async () => (await import('./zoo/run.ts')).zooStage,
  'zoo-import': async () => (await import('./zoo-import/run.ts')).zooImportStage,
  alignment: async () => (await import('./alignment/run.ts')).alignmentStage,
  sane: async () => (await import('./sane/run.ts')).saneStage,
  'hyper-representation': async () =>
    (await import('./hyper-representation/run.ts')).hyperRepresentationStage,
  'property-prediction': async () => (await import('./property-prediction/run.ts')).propertyPredictionStage,
  reconstruction: async () => (await import('./reconstruction/run.ts')).reconstructionStage,
  generation: async () => (await import('./generation/run.ts')).generationStage,
};

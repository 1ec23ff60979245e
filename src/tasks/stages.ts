/** The implementation of every stage, loaded when it is asked for: none of the tensor code is loaded before. */
import type { StageImplementation } from '../engine/stage.ts';
import type { StageName } from '../experiment/types.ts';

export const stages: Record<StageName, () => Promise<StageImplementation>> = {
  dataset: async () => (await import('../data/stage.ts')).datasetStage,
  zoo: async () => (await import('../zoo/stage.ts')).zooStage,
  'zoo-import': async () => (await import('../zoo/import/stage.ts')).zooImportStage,
  alignment: async () => (await import('../sane/alignment-stage.ts')).alignmentStage,
  sane: async () => (await import('../sane/stage.ts')).saneStage,
  'hyper-representation': async () =>
    (await import('../sane/hyper-representation/stage.ts')).hyperRepresentationStage,
  'property-prediction': async () => (await import('./property-prediction/stage.ts')).propertyPredictionStage,
  reconstruction: async () => (await import('./reconstruction/stage.ts')).reconstructionStage,
  generation: async () => (await import('./generation/stage.ts')).generationStage,
};

/** A task: what a run does in the end, and which of the paper's tables its results fill. Plain data. */
export interface TaskDescription {
  name: string;
  description: string;
  tables: readonly number[];
}

const propertyPrediction: TaskDescription = {
  name: 'property-prediction',
  description: 'predicts accuracy, epoch and generalisation gap of networks from features of their weights',
  tables: [1, 2, 9, 10, 11, 12],
};

const generation: TaskDescription = {
  name: 'generation',
  description:
    'samples new networks from embeddings and fine-tunes them beside networks trained from scratch',
  tables: [3, 4, 5, 7, 13, 14, 15, 16, 17],
};

const reconstruction: TaskDescription = {
  name: 'reconstruction',
  description: 'measures how well SANE reconstructs the weights of training and test models',
  tables: [6],
};

/** Every task by name. */
export const tasks: Record<string, TaskDescription> = {
  [propertyPrediction.name]: propertyPrediction,
  [generation.name]: generation,
  [reconstruction.name]: reconstruction,
};

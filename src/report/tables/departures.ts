/**
 * Where the paper's text and its authors' released code differ, and which of the two the defaults follow. A run that sets anything else has that
 * among its conditions.
 */

export interface Departure {
  setting: string;
  follows: 'code' | 'text';
  /** What the default does, and the other. */
  words: string;
}

const standardization: Departure = {
  ...{ setting: 'sane.standardization', follows: 'code' },
  words: 'each split is standardised by statistics of its own (the text does not say of which models)',
};
const paddingInLoss: Departure = {
  ...{ setting: 'sane.padding_in_loss', follows: 'code' },
  words: 'the reconstruction loss is averaged over padding too (the text: over weights)',
};
const view: Departure = {
  ...{ setting: 'sane.view_2', follows: 'text' },
  words: 'the second view is permuted (the released configurations come to two aligned views)',
};

/** Of property prediction from SANE's embeddings and from statistics of the weights. */
export const ofPrediction: readonly Departure[] = [
  standardization,
  {
    ...{ setting: 'property_prediction.padding_in_statistics', follows: 'code' },
    words: 's(W) are statistics of padding too (the text: of weights)',
  },
  paddingInLoss,
  view,
  {
    ...{ setting: 'property_prediction.embedding', follows: 'text' },
    words: 'networks are embedded in windows with halo (the code: in one sequence)',
  },
];

/** The same of networks with batch norm. */
export const ofPredictionWithNorms: readonly Departure[] = [
  ...ofPrediction,
  {
    ...{ setting: 'sane.batch_norm_tokens', follows: 'code' },
    words: 'batch norm is tokenised (the text: it is left out)',
  },
];

/** Of generation near prompts. */
export const ofGeneration: readonly Departure[] = [
  standardization,
  paddingInLoss,
  {
    ...{ setting: 'generation.draws', follows: 'code' },
    words: 'one prompt and one offset are drawn for all tokens of a sample (the text: for each token)',
  },
  {
    ...{ setting: 'generation.prompt_accuracy', follows: 'code' },
    words: 'the best prompts are the best on the test images (the text does not say on which)',
  },
  view,
];

/** Of the reconstruction losses of pretraining. */
export const ofReconstruction: readonly Departure[] = [
  standardization,
  paddingInLoss,
  {
    ...{ setting: 'sane.permutation_protocol', follows: 'text' },
    words:
      'each model has random permutations of its own (the code of June 2024, which counts as the paper’s condition here: five of a pool that all share, and the model as it is)',
  },
];

/** One sentence for the defaults that follow the code, one for those that follow the text. */
export function departureNotes(departures: readonly Departure[]): string[] {
  return (['code', 'text'] as const).flatMap((follows) => {
    const chosen = departures.filter((one) => one.follows === follows);
    if (chosen.length === 0) return [];
    const lead =
      follows === 'code'
        ? "By default as the authors' released code has it, not the paper's text"
        : "By default as the paper's text has it, not the released code";
    return [`${lead}: ${chosen.map(({ setting, words }) => `${words}, ${setting}`).join('; ')}.`];
  });
}

/* Made from the registries by `bun run schema`. Do not edit. */

/**
 * Where tensors are computed. auto: a GPU if one starts here, else the fastest CPU device. gpu: the best GPU that starts here. A device asked for by name that cannot start is an error. Never enters a content key.
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "device".
 */
export type Device = string;
/**
 * Epochs whose weights are kept (0 is the initialisation). Default: the epochs that the authors' property prediction reads.
 *
 * @minItems 1
 */
export type Epochs = [number, ...number[]];
/**
 * @minItems 1
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "epochs".
 */
export type Epochs1 = [number, ...number[]];
/**
 * Image data set that the zoo's models are trained on.
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "dataset".
 */
export type Dataset = string;
/**
 * Network architecture of the zoo's models.
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "architecture".
 */
export type Architecture = string;
/**
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "table".
 */
export type Table =
  | number
  | {
      /**
       * Number of a table of the paper.
       */
      table: number;
      /**
       * side-by-side (default): ours and the paper's number; ours: ours alone; difference: ours less the paper's.
       */
      layout?: "side-by-side" | "ours" | "difference";
      /**
       * Whether rows and columns without a run are shown too, in grey. Default false.
       */
      all?: boolean;
    }
  | {
      /**
       * The number in the cells: its mean, and its standard deviation over seeds.
       */
      metric: string;
      /**
       * An axis, a setting or a label of the results whose values are the rows; or two.
       */
      rows: TableAxis | [TableAxis] | [TableAxis, TableAxis];
      /**
       * The same for the columns. Default: one column.
       */
      columns?: TableAxis | [TableAxis] | [TableAxis, TableAxis];
      where?: {
        [k: string]: string | number | boolean | null | (string | number | boolean | null)[];
      };
      /**
       * Title of the table.
       */
      title?: string;
    };
/**
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "table_axis".
 */
export type TableAxis = string;
/**
 * What a run does with the zoo and its SANE.
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "task".
 */
export type Task = string;

/**
 * One experiment: a grid of runs and the tables made of them. Settings that the file does not give come from the paper's recipe for the run's architecture and data set (src/stages/recipes.json), then from the defaults below.
 */
export interface Experiment {
  /**
   * Names the folder under results/ that the tables go to.
   */
  name: string;
  /**
   * What this experiment is for, in a sentence or two.
   */
  description?: string;
  device?: Device;
  /**
   * Architectures of the experiment itself, by name: their layers, or the path of a YAML file that has them, as schemas/architecture.schema.json describes.
   */
  architectures?: {
    [k: string]: string | {};
  };
  /**
   * Data sets of the experiment itself, by name: folders with a folder of PNG or JPEG files for each class, or with folders train and test (and val, for validation images) that have these.
   */
  datasets?: {
    [k: string]: {
      /**
       * Its path, from the folder of the experiment on.
       */
      folder: string;
      /**
       * Share of each class's images that are test images, chosen by a fixed seed, where there are no folders train and test. Default 0.2.
       */
      test_share?: number;
      /**
       * Side in pixels that images of different sizes are resized to: their shorter sides by PIL’s bilinear filter, the middle of the longer. Default: all have one size.
       */
      resize?: number;
      /**
       * The data set that it is a copy or a variant of: its recipes are that data set's, but for what is done to the images, and tables show it, by its own name, beside the paper's numbers for that. Default: none.
       */
      stands_for?: "mnist" | "svhn" | "usps" | "cifar-10" | "stl-10" | "cifar-100" | "tiny-imagenet";
    };
  };
  grid: Grid;
  /**
   * Axes that advance together: all lists of one entry have the same length, and the entry multiplies the grid once; a value may be in a list more than once.
   */
  zip?: Zip[];
  /**
   * Runs added to the grid, each a full assignment of the axes that differ from a grid of one value.
   */
  include?: Assignment[];
  /**
   * Runs taken out: those that match every axis named in one entry (a list matches any of its values).
   */
  exclude?: Matcher[];
  /**
   * Settings for some runs only. Later entries win over earlier ones, and axes win over all of them.
   */
  overrides?: {
    when: Matcher1;
    set: Changes;
  }[];
  /**
   * The images that the zoo is trained and tested on.
   */
  data?: Data;
  /**
   * The population of trained models.
   */
  zoo?: Zoo;
  /**
   * The autoencoder on tokens of weights, and its pretraining.
   */
  sane?: Sane;
  /**
   * The baseline S_KDE30 (Schürholt et al. 2022): an autoencoder on all weights of a small network at once, whose rows are its tokens, with one embedding for the network. Trained where generation.methods asks for it.
   */
  hyper_representation?: HyperRepresentation;
  /**
   * Task property-prediction: a ridge regression from features of the weights to properties of the model.
   */
  property_prediction?: PropertyPrediction;
  /**
   * Task generation: new networks are drawn near the embeddings of trained ones (the prompts), decoded, and fine-tuned with the zoo's own recipe.
   */
  generation?: Generation;
  /**
   * Task analysis: features of the layers of networks, by their spectra and by SANE's embeddings, and the reconstruction loss by the length of the window.
   */
  analysis?: Analysis;
  /**
   * What jobs ask a cluster for, where the experiment is run with `--launcher slurm`. Enters no content key.
   */
  launcher?: {
    /**
     * Partition, or a list of those that any will do of. Default: the cluster’s own.
     */
    partition?: string | [string, ...string[]];
    /**
     * Account that is charged. Default: your own.
     */
    account?: string;
    /**
     * Time limit as Slurm writes it: minutes, hours:minutes:seconds or days-hours. A job that reaches it resumes in a new one. Default: three times the estimate and five minutes.
     */
    time?: number | string;
    /**
     * Memory of a job, e.g. 16G. Default: the partition’s.
     */
    memory?: string;
    /**
     * Processor cores of a job. Default 4, or as many as each of the partitions has on a node.
     */
    cpus?: number;
    /**
     * GPUs of a job; stages that compute no tensors get none. Default 0.
     */
    gpus?: number;
    /**
     * How many jobs of an array run at once. Default: as many as the cluster has room for.
     */
    at_once?: number;
    /**
     * Stages that are expected to take less together share a job. 0: every stage has a job of its own. Default 10.
     */
    pack_minutes?: number;
    /**
     * Lines of shell that every job runs first, e.g. `module load cuda`.
     */
    setup?: string[];
    /**
     * What jobs of these kinds of stages ask for instead.
     */
    stages?: {
      /**
       * reads or draws images, and prepares them
       */
      dataset?: Resources;
      /**
       * trains a population of models
       */
      zoo?: Resources;
      /**
       * converts a zoo of other people
       */
      "zoo-import"?: Resources;
      /**
       * aligns the models of a zoo by git re-basin
       */
      alignment?: Resources;
      /**
       * pretrains SANE on tokens of the weights of a zoo
       */
      sane?: Resources;
      /**
       * trains the baseline on all weights of small networks at once
       */
      "hyper-representation"?: Resources;
      /**
       * predicts properties of networks from their weights, or from statistics of these
       */
      "baseline-probes"?: Resources;
      /**
       * predicts accuracy, epoch and generalisation gap of networks from features of their weights
       */
      "property-prediction"?: Resources;
      /**
       * samples new networks from embeddings and fine-tunes them beside networks trained from scratch
       */
      generation?: Resources;
      /**
       * measures how well SANE reconstructs the weights of training and test models
       */
      reconstruction?: Resources;
      /**
       * measures features of the layers of networks, by their spectra and by SANE's embeddings, and the loss by the length of the window
       */
      analysis?: Resources;
    };
  };
  /**
   * Tables to write: numbers of the paper's, or mappings. `table`, `layout` and `all` choose how one of the paper's is shown; `metric`, `rows`, `columns` and `where` make one of anything. Default: every table of the paper that the experiment's tasks can fill. Settings that vary and have no place in them get one of their own in any case.
   *
   * @minItems 1
   */
  tables?: [Table, ...Table[]];
}
/**
 * The axes. Every combination of their values is one run.
 */
export interface Grid {
  [k: string]: unknown[];
}
/**
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "zip".
 */
export interface Zip {
  [k: string]: unknown[];
}
/**
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "assignment".
 */
export interface Assignment {
  [k: string]: unknown;
}
/**
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "matcher".
 */
export interface Matcher {
  [k: string]: unknown;
}
/**
 * Which runs: those that match every axis named here.
 */
export interface Matcher1 {
  [k: string]: unknown;
}
/**
 * Dotted settings and their values for these runs.
 */
export interface Changes {
  [k: string]: unknown;
}
/**
 * The images that the zoo is trained and tested on.
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "data".
 */
export interface Data {
  /**
   * How many training images are used, the first ones after a shuffle by a fixed seed; null uses all. Default null, as in the paper.
   */
  train_images?: number | null;
  /**
   * How many test images are used; null uses all. Default null, as in the paper.
   */
  test_images?: number | null;
  /**
   * Whether images in colour are made grey (Rec. 601 luma), before anything else. Default false; the paper's SVHN zoo has true.
   */
  grey?: boolean;
  /**
   * Side of the square that is cut out of the middle of each image; null: none. Default null; the paper's SVHN zoo has 28.
   */
  crop?: number | null;
  /**
   * Side of the square that images are resized to, after the crop, by PIL's bilinear filter; null: they are not. Default null; the paper's STL-10 zoo has 32.
   */
  resize?: number | null;
  /**
   * Networks see (byte / 255 - mean) / std, one number for each channel. Default null: what the data set has in the paper's zoos, for most of them 0.5 and 0.5.
   */
  normalize?: {
    /**
     * Means of the channels.
     *
     * @minItems 1
     * @maxItems 3
     */
    mean: [number] | [number, number] | [number, number, number];
    /**
     * Standard deviations of the channels.
     *
     * @minItems 1
     * @maxItems 3
     */
    std: [number] | [number, number] | [number, number, number];
  } | null;
}
/**
 * The population of trained models.
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "zoo".
 */
export interface Zoo {
  /**
   * How many models, seeds counted up from zoo.seed. With vary, how many seeds of each combination. Default 1000, as the paper's seed zoos have.
   */
  models?: number;
  /**
   * Seed of the zoo: of its first model, of its split, and of its data order. Default 0.
   */
  seed?: number;
  /**
   * Epochs that each model is trained for. Default 50, as in the paper's CNN zoos.
   */
  epochs?: number;
  checkpoints?: Epochs;
  /**
   * Images per step. Default 10, as the paper's CNN zoos have.
   */
  batch_size?: number;
  /**
   * Default adam (weight decay is coupled, as PyTorch's Adam has it).
   */
  optimizer?: "adam" | "sgd";
  /**
   * Momentum of sgd; adam ignores it. Default 0.9.
   */
  momentum?: number;
  /**
   * Constant learning rate. Default 3e-4, as the paper's MNIST zoo has.
   */
  learning_rate?: number;
  /**
   * L2 penalty added to the gradient. Default 0, as the paper's MNIST zoo has.
   */
  weight_decay?: number;
  /**
   * Dropout probability in training, where the architecture has dropout. Default 0, as the paper's zoos have.
   */
  dropout?: number;
  /**
   * Nonlinearity. Default tanh, as the paper's MNIST zoo has.
   */
  activation?: "tanh" | "relu" | "gelu" | "sigmoid";
  /**
   * Distribution of the initial weights (biases start at 0.01). uniform is U(0, 1) and normal N(0, 1), as the zoo generator has them; the others are PyTorch's. Default uniform.
   */
  init?: "uniform" | "normal" | "kaiming-uniform" | "kaiming-normal" | "xavier-uniform" | "xavier-normal";
  /**
   * Channels of the network's first stage, which the others are in proportion to; for architectures with a width only. Default null: as many as in the paper.
   */
  width?: number | null;
  /**
   * constant: learning_rate throughout. one-cycle: up to it and down again over all steps, the momentum the other way round, as PyTorch's OneCycleLR. Default constant, as in the paper's CNN zoos.
   */
  schedule?: "constant" | "one-cycle";
  /**
   * Random crops of the training images: black pixels added on each side before the crop; 0: no cropping. Default 0, as in the paper's CNN zoos.
   */
  crop_padding?: number;
  /**
   * Whether training images are mirrored left to right with probability 1/2. Default false, as in the paper's CNN zoos.
   */
  flip?: boolean;
  /**
   * Largest random rotation of the training images, in degrees either way. Default 0, as in the paper's CNN zoos.
   */
  rotation?: number;
  /**
   * Folder of a zoo to use instead of training one, from the experiment file's folder on; `~` and `${VAR}` are replaced: a published zoo (a folder for each training), a Small CNN Zoo (weights.npy, metrics.csv, layout.csv), checkpoint files with a list in zoo.yaml, or a zoo of this program. Of it are taken models, checkpoints and, where it has no splits, split; the other settings say how new networks are trained. A list of folders: SANE is pretrained on all of these zoos, whose networks may have different architectures; a run is about the first zoo of its own architecture and data set. Default null: the zoo is trained.
   */
  import?:
    | (null | string)
    | [
        (
          | string
          | {
              /**
               * The folder.
               */
              folder: string;
              /**
               * What its networks are. Default: as the folder says, or else the run's.
               */
              architecture?: string;
              /**
               * The images that they were trained on. Default: as the folder says, or else the run's.
               */
              dataset?: string;
            }
        ),
        ...(
          | string
          | {
              /**
               * The folder.
               */
              folder: string;
              /**
               * What its networks are. Default: as the folder says, or else the run's.
               */
              architecture?: string;
              /**
               * The images that they were trained on. Default: as the folder says, or else the run's.
               */
              dataset?: string;
            }
        )[]
      ];
  /**
   * How many models are trained at once, with the same result for each as alone; null: as many as memory has room for. Default null. Never enters a content key.
   */
  models_at_once?: number | null;
  /**
   * Hyper-parameters that differ between the models: every combination of the lists, times the seeds. Default {}: the models differ by their seed only.
   */
  vary?: {
    /**
     * Optimizers.
     *
     * @minItems 1
     */
    optimizer?: ["adam" | "sgd", ...("adam" | "sgd")[]];
    /**
     * Learning rates.
     *
     * @minItems 1
     */
    learning_rate?: [number, ...number[]];
    /**
     * Weight decays.
     *
     * @minItems 1
     */
    weight_decay?: [number, ...number[]];
    /**
     * Shares that dropout sets to zero.
     *
     * @minItems 1
     */
    dropout?: [number, ...number[]];
    /**
     * Nonlinearities.
     *
     * @minItems 1
     */
    activation?: ["tanh" | "relu" | "gelu" | "sigmoid", ...("tanh" | "relu" | "gelu" | "sigmoid")[]];
    /**
     * Initialisations.
     *
     * @minItems 1
     */
    init?: [
      "uniform" | "normal" | "kaiming-uniform" | "kaiming-normal" | "xavier-uniform" | "xavier-normal",
      ...("uniform" | "normal" | "kaiming-uniform" | "kaiming-normal" | "xavier-uniform" | "xavier-normal")[]
    ];
  };
  /**
   * Shares of training, validation and test models; a model's checkpoints stay together. Default 70:15:15, as in the paper.
   *
   * @minItems 3
   * @maxItems 3
   */
  split?: [number, number, number];
}
/**
 * The autoencoder on tokens of weights, and its pretraining.
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "sane".
 */
export interface Sane {
  /**
   * Which of the zoo's checkpoints SANE is pretrained on; null uses all. Default null.
   */
  checkpoints?: null | Epochs1;
  /**
   * Weights per token, d_t. Default 289 (Table 8).
   */
  token_size?: number;
  /**
   * Whether to tokenise the parameters and running statistics of batch normalisation too. Default false, as the paper's text has it, and true for property prediction of ResNet-18, as the released scripts have it.
   */
  batch_norm_tokens?: boolean;
  /**
   * Tokens per window. Default 32 (Table 8). A model with fewer tokens is one shorter window.
   */
  window?: number;
  /**
   * Windows drawn from each checkpoint per epoch. Default 3, as the released preparation has.
   */
  windows_per_sample?: number;
  /**
   * Least sizes of the three position tables (tokens of a network, layers, rows of a layer), for networks larger than the zoo's; null: just what the zoo's networks need. Default null.
   */
  positions?: null | [number, number, number];
  /**
   * Width of the transformer. Default 1024 (Table 8).
   */
  d_model?: number;
  /**
   * Numbers per token embedding, d_z. Default 128 (Table 8).
   */
  latent_dim?: number;
  /**
   * Transformer layers in the encoder, and as many in the decoder. Default 4 (Table 8).
   */
  layers?: number;
  /**
   * Attention heads; divides d_model. Default 8 (Table 8 says 4 and 8).
   */
  heads?: number;
  /**
   * Width of the projection head that the contrastive loss sees. Default 30, as released.
   */
  projection_dim?: number;
  /**
   * Pretraining epochs. Default 50, as in the paper.
   */
  epochs?: number;
  /**
   * Windows per step, each of another checkpoint where possible. Default 32, as released.
   */
  batch_size?: number;
  /**
   * Batches whose gradients are averaged before a step. Default 1: none.
   */
  gradient_accumulation?: number;
  /**
   * Largest global norm of the gradient; null does not clip. Default null, as released.
   */
  gradient_clip?: number | null;
  /**
   * Peak of the one-cycle schedule. Default 1e-4, as released.
   */
  learning_rate?: number;
  /**
   * AdamW's decay of matrices and embeddings. Default 3e-9, as released.
   */
  weight_decay?: number;
  /**
   * Weight of the contrastive loss, L = (1-gamma) L_rec + gamma L_c. Default 0.05, as released.
   */
  gamma?: number;
  /**
   * Temperature of NT-Xent. Default 0.1, as released.
   */
  temperature?: number;
  /**
   * Multiplicative noise on both views: x(1 + noise e), e ~ N(0, 1). Default 0.1, as released.
   */
  noise?: number;
  /**
   * Whether every model's hidden units are permuted to the order nearest to one reference model's by weight matching, found at its last checkpoint and the same at all (Algorithms 1 and 2). false: models as they were trained. Default true, as in the paper.
   */
  alignment?: boolean;
  /**
   * In how many random orders of a network's layers the matching is tried, of which the nearest to the reference is kept. Default 4: with more, small CNNs are hardly nearer, and ResNet-18 not at all.
   */
  alignment_orders?: number;
  /**
   * First contrastive view: the aligned model (canonical; as it was trained where sane.alignment is false) or a random permutation of it. Default canonical, as the paper's text says.
   */
  view_1?: "canonical" | "permuted";
  /**
   * Second contrastive view. Default permuted, as the paper's text says; the released configurations in effect train with canonical.
   */
  view_2?: "canonical" | "permuted";
  /**
   * How many random permutations of a model its permuted views are chosen from, drawn once; at most 200, as the released code prepares; Table 6 has 5. null: every view draws a new one, which the many that the released code prepares come close to. Default null.
   */
  permutations?: null | number;
  /**
   * Where those permutations come from. own: each checkpoint has its own. shared: all have the same. pool: as the code of June 2024 prepared its data for SANE, each checkpoint has a few of one pool of 200, and its own order as another; the two views of a batch have different ones of these. Default own; Table 6 has pool.
   */
  permutation_protocol?: "own" | "shared" | "pool";
  /**
   * How each layer's weights and biases are standardised: less their mean, over their standard deviation (Algorithm 1). per-split: by those of the models of their own split, as the released code does; samples are scaled back, and networks from files scaled, by those of the training models. per-layer: by those of the training models, in all splits. none: not at all. Default per-split.
   */
  standardization?: "per-layer" | "per-split" | "none";
  /**
   * true: the reconstruction error is averaged over all numbers of the tokens, padding included, as the released code does, for which gamma was chosen. false: over weights (equation 5 with its mask), so that the same gamma means less contrast, by the share of weights among the numbers. Default true.
   */
  padding_in_loss?: boolean;
  /**
   * What the reconstruction error is divided by. none: nothing. token: the standard deviation of each token's weights (of the batch's, for a token of one weight or of nearly equal ones), so that tokens of small weights count as much as those of large ones. batch: that of all weights of the batch, as the released code of MultiZoo-SANE does for what its paper calls normalisation by token. Default none, as in the SANE paper.
   */
  loss_normalization?: "none" | "token" | "batch";
  /**
   * Share of the error of the weights in the reconstruction loss; the rest is the behaviour loss of Meynent et al. (2025): the mean square of the difference between the class probabilities that the decoded network and the original give images of the zoo's training set. Each part of the loss, the contrast too, is then divided by its value on the first batch. Theirs is 0.1, and 1 their comparison without behaviour. Below 1 the window must hold the whole network. null: the loss as the SANE paper has it, undivided. Default null.
   */
  beta?: number | null;
  /**
   * Images that the behaviour loss asks, drawn anew for each batch; no effect where sane.beta is 1 or null. Default 256, as in their experiments.
   */
  queries?: number;
}
/**
 * The baseline S_KDE30 (Schürholt et al. 2022): an autoencoder on all weights of a small network at once, whose rows are its tokens, with one embedding for the network. Trained where generation.methods asks for it.
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "hyper_representation".
 */
export interface HyperRepresentation {
  /**
   * Which of the zoo's checkpoints it is trained on; null uses all. Default null, as SANE has it.
   */
  checkpoints?: null | Epochs1;
  /**
   * Width of the transformer. Default 800, as published for the MNIST zoo (2021).
   */
  d_model?: number;
  /**
   * Numbers of a network's embedding. Default 700, as published for the 2,464 weights of the MNIST zoo's networks (2021).
   */
  latent_dim?: number;
  /**
   * Transformer layers in the encoder, and as many in the decoder. Default 2, as published (2021).
   */
  layers?: number;
  /**
   * Attention heads; divides d_model. Default 4, as published (2021).
   */
  heads?: number;
  /**
   * Width of the projection head that the contrastive loss sees. Default 30, as SANE has it.
   */
  projection_dim?: number;
  /**
   * Training epochs, each of which sees every checkpoint once. Default 50, as SANE has it.
   */
  epochs?: number;
  /**
   * Checkpoints per step. Default 32, as SANE has it.
   */
  batch_size?: number;
  /**
   * Peak of the one-cycle schedule. Default 1e-4, as published (2021).
   */
  learning_rate?: number;
  /**
   * AdamW's decay of matrices. Default 3e-9, as SANE has it.
   */
  weight_decay?: number;
  /**
   * Weight of the contrastive loss, L = (1-gamma) L_rec + gamma L_c. Default 0.1, as published (2021).
   */
  gamma?: number;
  /**
   * Temperature of NT-Xent. Default 0.1, as SANE has it.
   */
  temperature?: number;
  /**
   * Multiplicative noise on both views: x(1 + noise e), e ~ N(0, 1). Default 0.1, as SANE has it.
   */
  noise?: number;
  /**
   * First contrastive view: the network as it is (canonical) or a random permutation of it. Default permuted, as published.
   */
  view_1?: "canonical" | "permuted";
  /**
   * Second contrastive view. Default permuted, as published.
   */
  view_2?: "canonical" | "permuted";
}
/**
 * Task property-prediction: a ridge regression from features of the weights to properties of the model.
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "property_prediction".
 */
export interface PropertyPrediction {
  /**
   * Which of the zoo's checkpoints are used; null uses all. Default: the authors' list.
   */
  checkpoints?: null | Epochs1;
  /**
   * weights: all numbers of the tokens. statistics: seven per layer. sane: the mean of the token embeddings. sane-sequence: all token embeddings. untrained: as sane, by a SANE of the same sizes that was only initialised; SANE is pretrained all the same, so ask for both. Default: the three of Table 1.
   *
   * @minItems 1
   */
  features?: [
    "weights" | "statistics" | "sane" | "sane-sequence" | "untrained",
    ...("weights" | "statistics" | "sane" | "sane-sequence" | "untrained")[]
  ];
  /**
   * test-accuracy, epoch, and ggap: training accuracy less test accuracy. Default: all three.
   *
   * @minItems 1
   */
  targets?: ["test-accuracy" | "epoch" | "ggap", ...("test-accuracy" | "epoch" | "ggap")[]];
  /**
   * The training accuracy that ggap is taken from. running: of the epoch's own batches while the weights moved, as the authors' zoos log it. evaluated: of the finished weights on all training images. Default running; at epoch 0 both are the evaluated one.
   */
  gap?: "running" | "evaluated";
  /**
   * Strengths of the ridge penalty; the one with the best validation R² is used. Default: the 17 of the authors' probe.
   *
   * @minItems 1
   */
  ridge_strengths?: [number, ...number[]];
  /**
   * true: statistics of all numbers of a layer's tokens, padding zeros included, as the released code does. false: of the weights only. Default true.
   */
  padding_in_statistics?: boolean;
  /**
   * How SANE embeds a network. windows: in windows as long as in pretraining, with context on both sides that is dropped (haloing, Algorithm 2). sequence: all tokens at once, as the released code does; attention then takes time and memory with the square of the tokens. Default windows.
   */
  embedding?: "windows" | "sequence";
}
/**
 * Task generation: new networks are drawn near the embeddings of trained ones (the prompts), decoded, and fine-tuned with the zoo's own recipe.
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "generation".
 */
export interface Generation {
  /**
   * scratch: the zoo's test models from their initialisation on; fresh networks, trained as the samples are fine-tuned, where those are for another data set or the prompts of another zoo. finetuned: the prompts themselves, trained on. prompts, noise, average: without an autoencoder, the best of the prompts, of prompts with noise on their weights, and of means of prompts, by the images that sub chooses by. flow: networks that a small network makes of noise, trained by flow matching on the principal components of all prompts, all that it draws (DeepWeightFlow, Gupta et al. 2026). held-out: test models of the zoo at the prompts' epoch. reconstruction: all test models at that epoch, encoded and decoded, however many samples are asked for. kde30: draws from kernel density estimates of the best prompts' embeddings. hyper-representation: the same with the embeddings of whole networks of another autoencoder (small CNNs only), the paper's S_KDE30. sub: the best of the draws from all prompts. boot: the same, several times, each from the draws kept before. gauss: like boot, but from a normal distribution without prompts. Default: those of Table 3 that need no other autoencoder.
   *
   * @minItems 1
   */
  methods?: [
    (
      | "scratch"
      | "finetuned"
      | "prompts"
      | "noise"
      | "average"
      | "flow"
      | "held-out"
      | "reconstruction"
      | "hyper-representation"
      | "kde30"
      | "sub"
      | "boot"
      | "gauss"
    ),
    ...(
      | "scratch"
      | "finetuned"
      | "prompts"
      | "noise"
      | "average"
      | "flow"
      | "held-out"
      | "reconstruction"
      | "hyper-representation"
      | "kde30"
      | "sub"
      | "boot"
      | "gauss"
    )[]
  ];
  /**
   * Epochs of fine-tuning after which the networks are measured, 0 before any; the last is the budget, over which a one-cycle schedule runs. Default: Table 3's.
   *
   * @minItems 1
   */
  epochs?: [number, ...number[]];
  /**
   * Data set that the networks are for, measured and fine-tuned on; null: that of the prompts. A classifier for other classes is drawn anew. Default null, the same task.
   */
  target_dataset?: null | Dataset;
  /**
   * Another zoo that the prompts come from, for samples of a kind that SANE was not trained on: its architecture, its data set, and its settings where they differ from block zoo; null: SANE's own zoo. Default null.
   */
  prompt_zoo?: null | {
    architecture?: Architecture;
    dataset?: Dataset;
    zoo?: Zoo;
  };
  /**
   * Which checkpoint of the zoo's training models the prompts are; null: the last that SANE saw. Default null, as in the paper.
   */
  prompt_epoch?: number | null;
  /**
   * How many of the training models are prompts; null: all of them. Default null; the paper's few-shot experiments have 1 to 5.
   */
  prompt_count?: number | null;
  /**
   * The share of the prompts, the best by prompt_accuracy, that kde30 and hyper-representation use. Default 0.3, which gives the method its name.
   */
  prompt_share?: number;
  /**
   * On which images the prompts are compared. test: the test images, as the authors' released code for S_KDE30 does, so that samples are measured on images by which their prompts were chosen. train: the training images. Default test.
   */
  prompt_accuracy?: "test" | "train";
  /**
   * Standard deviation of the Gaussian kernels around the prompts' embeddings, in bandwidth_unit. Default 0.1 spreads: on held-out MNIST prompts, samples kept 73.4 % of 76.8 % accuracy (66 % at 0.3, 74 % at 0), by bench/bandwidth.ts.
   */
  bandwidth?: number;
  /**
   * What bandwidth, gauss_mean and gauss_sd are given in. spread: standard deviations of the training models' embeddings between models, within a token, so that a value fits every autoencoder. absolute: as they are, for comparison with the released code (its bandwidth is 0.2, its gauss_sd 10). Default spread.
   */
  bandwidth_unit?: "spread" | "absolute";
  /**
   * The same for the embeddings of the hyper-representation, whose dimensions each have a density of their own; always absolute. Default 0.002, as published.
   */
  hyper_representation_bandwidth?: number;
  /**
   * What the tokens of a draw have in common (the dimensions where the embedding is of a whole network). shared: one prompt and one offset, as the released code draws them. joint: one prompt, and noise of their own. independent: nothing, each is drawn from its own density over the prompts, as the paper's text has it. Default shared.
   */
  draws?: "shared" | "joint" | "independent";
  /**
   * Training images that the zoo was not trained on, by which candidates are chosen; null: all that data.train_images leaves over. 0: candidates are chosen by the training images, as the released code does where a data set has no validation images. Default null.
   */
  validation_images?: number | null;
  /**
   * Standard deviation of the noise of method noise, in root mean squares of the parameter (a tensor of weights, a bias) that it is added to. Default 0.1.
   */
  noise?: number;
  /**
   * Prompts that method average takes the mean of, each aligned to the first of them by weight matching. Default 2, the least that is between prompts.
   */
  averaged?: number;
  /**
   * Principal components of the prompts' weights that method flow learns, each standardised; null: all, one less than the prompts. Default null, as DeepWeightFlow has 99 of 100 networks for its small networks, which are not standardised there.
   */
  flow_components?: number | null;
  /**
   * Width of the hidden layers of the network of method flow. Default 512, as in DeepWeightFlow's configuration for MNIST, whose middle layer has half of it.
   */
  flow_width?: number;
  /**
   * Hidden layers of the network of method flow. Default 3, as in DeepWeightFlow.
   */
  flow_layers?: number;
  /**
   * Training steps of method flow. Default 30000, as in DeepWeightFlow's configurations.
   */
  flow_steps?: number;
  /**
   * Pairs of noise and a prompt in a training step of method flow. Default 8, as in DeepWeightFlow's configurations.
   */
  flow_batch_size?: number;
  /**
   * Learning rate of method flow, by AdamW, which falls to 0 along half a cosine. Default 0.0005, as in DeepWeightFlow's configurations.
   */
  flow_learning_rate?: number;
  /**
   * Steps of the fourth-order Runge-Kutta method by which method flow draws a network. Default 100, as in DeepWeightFlow's configurations (which take 99 between 100 times).
   */
  flow_ode_steps?: number;
  /**
   * Test images on which the errors of generated networks are compared with those of the training networks, before fine-tuning, for novelty beside accuracy; 0: novelty is not measured, nor the distance of weights. Not measured on another data set than the prompts', nor against a single training network. Default 2000.
   */
  novelty_images?: number;
  /**
   * Training networks that a generated one is aligned with to find the nearest: those that are nearest to it as it is, or as it is aligned to the first of them. Default 10.
   */
  novelty_matches?: number;
  /**
   * Networks drawn by sub, noise and average, and by each round of boot and gauss, of which the best are kept. Default 50, as in the released example.
   */
  candidates?: number;
  /**
   * Networks that each method ends with, which are fine-tuned and measured. Default 10, as in the released example.
   */
  samples?: number;
  /**
   * Rounds of boot and gauss. Default 5; the paper does not say how many it used.
   */
  rounds?: number;
  /**
   * Mean of the normal distribution that gauss begins with, in bandwidth_unit. Default 0, as in the released code.
   */
  gauss_mean?: number;
  /**
   * Standard deviation of the normal distribution that gauss begins with, in bandwidth_unit. Default 3 spreads.
   */
  gauss_sd?: number;
  /**
   * Whether windows are decoded with context tokens on both sides, which are dropped afterwards. Default true, as in the paper.
   */
  halo?: boolean;
  /**
   * How SANE embeds the prompts and decodes samples. windows: in windows as long as in pretraining. sequence: all tokens of a network at once, as the released code does without haloing; attention then takes time and memory with the square of the tokens. Default windows.
   */
  embedding?: "windows" | "sequence";
  /**
   * Batches that refresh the batch-norm statistics of a sampled network, in forward passes only; 0: none. No effect without batch norm. Default 200, as in the released example.
   */
  conditioning_batches?: number;
  /**
   * Images of such a batch. Default 32, as in the released code.
   */
  conditioning_batch_size?: number;
}
/**
 * Task analysis: features of the layers of networks, by their spectra and by SANE's embeddings, and the reconstruction loss by the length of the window.
 *
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "analysis".
 */
export interface Analysis {
  /**
   * Which of the zoo's checkpoints are analysed; null uses all. Default null.
   */
  checkpoints?: null | Epochs1;
  /**
   * How many of the zoo's test models are analysed; null: all. The spectra of a ResNet-18 take about a minute on one core. Default null.
   */
  models?: number | null;
  /**
   * Tokens that SANE sees at once where it reconstructs the test models, a quarter of them on each side as halo; longer ones than a network see all of it. Null: powers of two from 8 to the first that holds a whole network, and the window of pretraining; at most 1024. Default null.
   */
  windows?: null | [number, ...number[]];
}
/**
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "resources".
 */
export interface Resources {
  /**
   * Partition, or a list of those that any will do of. Default: the cluster’s own.
   */
  partition?: string | [string, ...string[]];
  /**
   * Account that is charged. Default: your own.
   */
  account?: string;
  /**
   * Time limit as Slurm writes it: minutes, hours:minutes:seconds or days-hours. A job that reaches it resumes in a new one. Default: three times the estimate and five minutes.
   */
  time?: number | string;
  /**
   * Memory of a job, e.g. 16G. Default: the partition’s.
   */
  memory?: string;
  /**
   * Processor cores of a job. Default 4, or as many as each of the partitions has on a node.
   */
  cpus?: number;
  /**
   * GPUs of a job; stages that compute no tensors get none. Default 0.
   */
  gpus?: number;
}
/**
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "grid".
 */
export interface Grid1 {
  [k: string]: unknown[];
}
/**
 * This interface was referenced by `Experiment`'s JSON-Schema
 * via the `definition` "changes".
 */
export interface Changes1 {
  [k: string]: unknown;
}
/** Every setting of a run, nothing left open. */
export interface Settings {
  data: Required<Data>;
  zoo: Required<Zoo>;
  sane: Required<Sane>;
  hyper_representation: Required<HyperRepresentation>;
  property_prediction: Required<PropertyPrediction>;
  generation: Required<Generation>;
  analysis: Required<Analysis>;
}

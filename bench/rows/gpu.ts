/** What is compared on a GPU: SANE at the widths of the paper, ResNet-18, and a zoo of models trained together. */
import { Random } from '../../src/base/random.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import type { SaneShape } from '../../src/sane/parameters.ts';
import type { PretrainConfig } from '../../src/sane/pretrain.ts';
import type { TwoViews } from '../../src/sane/views.ts';
import type { Row, Variant } from '../row.ts';
import { resnet18Step } from './resnet18-step.ts';
import { saneSettings } from './sane-settings.ts';
import { saneStepRow } from './sane-step.ts';
import { mnistZoo, zooTraining } from './zoo-training.ts';

/** The reach wanted: at most three times PyTorch's float32 time. */
const third = 1 / 3;

/** We compute in float32. Rounding differs more between two GPU libraries than between two of a CPU. */
const float32: Variant = { name: 'PyTorch, float32', tolerance: 1e-3 };
const rounded: readonly Variant[] = [
  { name: 'PyTorch, TF32', tolerance: 0.05, informative: true },
  { name: 'PyTorch, mixed precision', tolerance: 0.05, informative: true },
];

const cnnSmall = getArchitecture('cnn-small', { input: [28, 28, 1], classes: 10, width: null });

const smallest = { d_model: 32, window: 16, layers: 1, batch_size: 2, heads: 2 };

/** Every row; or each on any device, at a size that tries the bench itself. */
export function gpuRows(tiny: boolean): readonly Row[] {
  const device = tiny ? 'auto' : 'gpu';
  return [
    saneStep('gpu-sane-step-1024', device, { d_model: 1024, window: 64, ...(tiny && smallest) }),
    saneStep('gpu-sane-step-2048', device, { d_model: 2048, window: 256, ...(tiny && smallest) }),
    resnet18Step({
      ...{ name: 'gpu-resnet18-step', device, wanted: third, batch: tiny ? 4 : 128 },
      stepsPerTurn: tiny ? 1 : 10,
      variants: [float32, { ...float32, name: 'PyTorch, float32, channels last' }, ...rounded],
    }),
    zooTraining(
      cnnSmall,
      {
        ...{ prefix: 'gpu-', device, wanted: 1, models: tiny ? 3 : 64, images: tiny ? 20 : 100 },
        variants: [
          { ...float32, name: 'PyTorch, one after the other' },
          { ...float32, name: 'PyTorch, vmap' },
        ],
      },
      mnistZoo,
    ),
  ];
}

function saneStep(
  name: string,
  device: Row['device'],
  sizes: Pick<PretrainConfig, 'd_model' | 'window'> & Partial<PretrainConfig>,
): Row {
  const settings = { ...saneSettings(sizes.d_model), layers: 8, batch_size: 32, ...sizes };
  const { token_size, latent_dim, d_model, layers, heads, projection_dim, window } = settings;
  // The tables of positions of a large network: tokens, layers, tokens of a layer.
  const positions: [number, number, number] = [50_000, 100, 10_000];
  const shape = { token_size, latent_dim, d_model, layers, heads, projection_dim, window, positions };
  const row = { name, device, wanted: third, stepsPerTurn: 3, variants: [float32, ...rounded] as const };
  return saneStepRow(row, settings, shape, () => drawTokens(shape, 2 * settings.batch_size));
}

/** Standard normal tokens without padding at any positions: what a step costs does not depend on them. */
function drawTokens({ window, token_size, positions }: SaneShape, rows: number): TwoViews {
  const random = new Random(0, 'bench', 'tokens');
  const tokens = random.normals(rows * window * token_size);
  return {
    ...{ rows, window, tokens, mask: new Float32Array(tokens.length).fill(1) },
    positions: Int32Array.from({ length: rows * window * 3 }, (_, i) =>
      random.integer(positions[i % 3] as number),
    ),
  };
}

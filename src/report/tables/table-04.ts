/** Table 4: generated ResNet-18, fine-tuned on the task of their zoo. */
import { generationTable, type Method, methodOrder } from './generation.ts';

const all: readonly Method[] = ['scratch', 'kde30', 'sub', 'boot'];

export const table04 = generationTable({
  id: 4,
  family: 'resnet',
  datasets: { 'cifar-10': 'CIFAR-10', 'cifar-100': 'CIFAR-100', 'tiny-imagenet': 'Tiny-ImageNet' },
  rows: [
    [0, all],
    [1, all],
    [5, all],
    [10, all],
    [25, ['scratch']],
    [50, ['scratch']],
    [60, ['scratch']],
  ],
  claims: [
    methodOrder(0, 'sub', 'scratch'),
    methodOrder(0, 'sub', 'kde30', true),
    methodOrder(0, 'boot', 'sub', true),
    methodOrder(1, 'sub', 'scratch'),
    methodOrder(5, 'sub', 'scratch'),
  ],
});

/** Table 3: generated small CNNs, fine-tuned on the task of their zoo. */
import { generationTable, type Method, methodOrder } from './generation.ts';

const all: readonly Method[] = ['scratch', 'hyper-representation', 'kde30', 'sub', 'gauss'];

export const table03 = generationTable({
  id: 3,
  family: 'cnn',
  datasets: { mnist: 'MNIST', svhn: 'SVHN', 'cifar-10': 'CIFAR-10', 'stl-10': 'STL' },
  rows: [
    [0, all],
    [1, all],
    [5, all],
    [25, all],
    [50, ['scratch']],
  ],
  claims: [
    methodOrder(0, 'sub', 'kde30', true),
    methodOrder(0, 'kde30', 'gauss'),
    methodOrder(0, 'gauss', 'scratch'),
    methodOrder(0, 'sub', 'hyper-representation'),
    methodOrder(1, 'sub', 'scratch'),
    methodOrder(5, 'sub', 'scratch'),
  ],
});

/**
 * The one place that imports tfjs. Bun would otherwise load a second copy of it through another entry point
 * (tfjs-core alone resolves to CommonJS), whose registry of kernels and gradients is not this one's.
 */
import * as tf from '@tensorflow/tfjs';

// No advice on standard error to install another back end: which one runs is the experiment's choice.
tf.enableProdMode();

export { tf };

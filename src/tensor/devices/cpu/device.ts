import { freemem } from 'node:os';
import type { Device } from '../device.ts';

/** tfjs's own back end in JavaScript: very slow, and what the others are tested against. */
export const cpu: Device = {
  name: 'cpu',
  kind: 'cpu',
  description: 'plain JavaScript, one thread, for checking the others',

  async diagnose() {
    const { name, kind, description } = this;
    return { name, kind, description, starts: true, detail: 'always there' };
  },

  memory() {
    return { host: freemem(), gpu: null };
  },

  async start() {
    const { tf } = await import('../../tf.ts');
    await tf.setBackend('cpu');
  },
};

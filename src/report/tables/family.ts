import type { Run } from '../../experiment/types.ts';
import { architectures } from '../../nets/registry.ts';

/** The kinds of networks that the paper's tables are of. */
export type Family = 'cnn' | 'resnet';

/** The kind that a run's networks are of; undefined for those that no table of the paper has. */
export const familyOf = ({ architecture }: Run): Family | undefined => architectures[architecture]?.family;

/** What stage `baseline-probes` keeps. */
import { join } from 'node:path';
import { readJson, writeJson } from '../../base/files.ts';
import type { ProbeRecords } from '../property-prediction/records.ts';

const name = 'probes.json';

export const writeProbes = (dir: string, probes: ProbeRecords) => writeJson(join(dir, name), probes);

export const readProbes = async (dir: string) => (await readJson(join(dir, name))) as ProbeRecords;

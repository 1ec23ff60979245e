/** `exp analyse <model>...`: features of layers, which the paper's figures 3, 4 and 8 to 11 are of. */
import { basename, dirname } from 'node:path';
import { asStorageError } from '../../base/file-errors.ts';
import { writeSafely } from '../../base/files.ts';
import {
  drawAccuracyOverFeatures,
  drawFeaturesByLayer,
  featuresOf,
  networkFeature,
} from '../../report/figures/features.ts';
import type { FigureFormat } from '../../report/figures/formats.ts';
import { type FeatureName, layerFeatureTitles } from '../../report/figures/titles.ts';
import { writeFigures } from '../../report/figures/write.ts';
import { csvText } from '../../report/renderers/csv-text.ts';
import { type AnalysedNetwork, analyseNetworks } from '../../sane/analyse-networks.ts';
import { readTable } from '../../zoo/import/table.ts';
import { optionValue, type Request } from '../arguments.ts';
import { inColumns } from '../columns.ts';
import { countOption, networkReader, networksAt, openPretrained } from '../networks.ts';
import { checkFolder, print, printError } from '../output.ts';
import { UsageError } from '../usage.ts';

type Analysed = AnalysedNetwork & { accuracy: number | null };

/** Returns the exit code. As JSON, `[{model, accuracy, layers: [{layer, …features}]}]`; as text, a table for each network. */
export async function analyseCommand(request: Request): Promise<number> {
  const window = countOption(request, 'window');
  const out = optionValue(request, 'out');
  if (out !== undefined) checkFolder(out, '--out');
  else if (request.values.has('format'))
    throw new UsageError('--format is of figures, which --out asks for', '--out figures');
  const paths = await networksAt(request.positionals);
  const accuracyOf = accuracies(request, paths);
  const pretrained = request.values.has('sane') ? await openPretrained(request) : null;
  const analysed: Analysed[] = [];
  const json = request.switches.has('json');
  const networks = analyseNetworks(paths, { pretrained, read: networkReader(request), window });
  for await (const network of networks) {
    if (!json) print(`${analysed.length > 0 ? '\n' : ''}${networkTable(network)}`);
    analysed.push({ ...network, accuracy: accuracyOf(network.path) });
  }
  pretrained?.sane.dispose();
  if (json) print(JSON.stringify(analysed.map(({ path, ...rest }) => ({ model: path, ...rest }))));
  const csv = optionValue(request, 'csv');
  if (csv !== undefined) await writeCsv(csv, featuresCsv(analysed));
  if (out !== undefined)
    await drawAll(analysed, out, (optionValue(request, 'format') ?? 'svg') as FigureFormat);
  return 0;
}

async function writeCsv(path: string, text: string): Promise<void> {
  try {
    await writeSafely(path, text);
  } catch (error) {
    throw asStorageError(`${path} cannot be written`, error, '--csv');
  }
}

/** The accuracy that --accuracies has of a network. Throws a FormatError where it has none of any. */
function accuracies(request: Request, paths: readonly string[]): (path: string) => number | null {
  const file = optionValue(request, 'accuracies');
  if (file === undefined) return () => null;
  const table = readTable(file);
  const entry = (path: string) => ({ file: path, model: basename(path), epoch: 0 });
  const found = new Map(
    paths.map((path) => {
      const ofFile =
        table.of(entry(path)).test_accuracy ??
        table.of({ ...entry(path), file: basename(path) }).test_accuracy;
      const stem = basename(path).replace(/\.[^.]*$/, '');
      const ofModel = table.of({ ...entry(path), model: stem }).test_accuracy;
      return [path, ofFile ?? ofModel ?? null];
    }),
  );
  table.checkUsed(entry(paths[0] as string));
  return (path) => found.get(path) ?? null;
}

const number = (value: number | null | undefined): string => {
  if (value === undefined || value === null) return '-';
  return Math.abs(value) < 1e-3 && value !== 0 ? value.toExponential(2) : value.toFixed(4);
};

/** The path, a line for each layer, and the mean over layers, which is the network's. */
function networkTable({ path, layers }: AnalysedNetwork): string {
  const features = featuresOf([{ layers }]);
  const header = ['layer', ...features.map((name) => layerFeatureTitles[name])];
  const lines = layers.map((layer) => [layer.layer, ...features.map((name) => number(layer[name]))]);
  const mean = ['mean', ...features.map((name) => number(networkFeature(layers, name)))];
  return `${path}\n${inColumns(header, [...lines, mean], { numbers: true })}`;
}

function featuresCsv(networks: readonly Analysed[]): string {
  const features = featuresOf(networks);
  const lines = networks.flatMap(({ path, accuracy, layers }) =>
    layers.map((layer, i) => [path, accuracy, i + 1, layer.layer, ...features.map((name) => layer[name])]),
  );
  return csvText([['model', 'accuracy', 'index', 'layer', ...(features satisfies FeatureName[])], ...lines]);
}

/** As many networks as there are distinct colours have one each; of more, those of a folder share one. */
const mostSeries = 7;

async function drawAll(networks: readonly Analysed[], folder: string, format: FigureFormat): Promise<void> {
  const series = (path: string) =>
    networks.length > mostSeries ? basename(dirname(path)) || '.' : basename(path);
  const featured = networks.map(({ path, ...rest }) => ({ series: series(path), ...rest }));
  const over = drawAccuracyOverFeatures(featured);
  const paths = await writeFigures([drawFeaturesByLayer(featured), ...(over ? [over] : [])], folder, format);
  for (const path of paths) printError(path);
}

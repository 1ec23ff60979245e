import type { CheckContext, SettingProblem } from '../../experiment/stage-plan.ts';
import type { DataSettings } from '../../experiment/types.ts';

/** More images than a data set has. Of one that the program draws there are as many as are asked for. */
export function checkImages(
  name: string,
  data: DataSettings,
  { catalogue: { datasets } }: Pick<CheckContext, 'catalogue'>,
): SettingProblem[] {
  const dataset = datasets[name];
  if (!dataset || dataset.drawn) return [];
  return (['train', 'test'] as const).flatMap((split) => {
    const [asked, has] = [data[`${split}_images`], dataset.counts[split]];
    if (asked === null || asked <= has) return [];
    return [
      {
        code: `few-images-of-${name}`,
        path: ['data', `${split}_images`],
        message: `data set ${name} has ${has} ${split === 'train' ? 'training' : 'test'} images`,
        received: `${asked}`,
        hint: `lower data.${split}_images, or set it to null for all of them`,
      },
    ];
  });
}

/** The files that figures are written to. */
export const figureFormats = ['svg', 'png'] as const;
export type FigureFormat = (typeof figureFormats)[number];

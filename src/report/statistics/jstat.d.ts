/** The part of the package that is used; it has no types of its own. */
declare module 'jstat' {
  export const jStat: {
    studentt: {
      /** Quantile of Student's t distribution; `df` need not be whole. */
      inv(probability: number, df: number): number;
    };
    normal: {
      cdf(x: number, mean: number, sd: number): number;
    };
  };
}

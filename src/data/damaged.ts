/** The error of a file that is not as it was published: its name, what is wrong, and what to do. */
export function damaged(file: string, what: string): Error {
  return new Error(`${file}: ${what}. Download the file again, or point --data to another copy.`);
}

/** Throws unless every label is a class. `offset` is what the file adds to the classes, which begin with 0. */
export function checkLabels(file: string, labels: ArrayLike<number>, classes: number, offset = 0): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (label >= offset && label < classes + offset) continue;
    throw damaged(file, `label ${label} at ${i} is not one of ${offset} to ${classes - 1 + offset}`);
  }
}

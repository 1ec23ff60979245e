/**
 * WGSL of a function `total` that adds up a value of each thread of a workgroup, the same way every time; `type` is one that `+`
 * takes. The number of threads is a power of 2.
 */
export const totalOf = (type: 'f32' | 'vec2f') => `
var<workgroup> shares : array<${type}, threads>;
fn total(value : ${type}, thread : u32) -> ${type} {
  workgroupBarrier();  // for those who still read the total before this one
  shares[thread] = value;
  for (var half = threads / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) { shares[thread] += shares[thread + half]; }
  }
  workgroupBarrier();
  return shares[0];
}`;

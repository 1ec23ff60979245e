/** A value that JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type JsonObject = { [key: string]: Json };

/** Whether a value is an object with names, and no array. */
export function isObject(value: Json): value is JsonObject;
export function isObject(value: unknown): value is Record<string, unknown>;
export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * JSON with the names of every object in order, so that equal values have equal text. Names that are whole numbers stand first, ascending: such
 * is the order of objects in JavaScript.
 */
export const canonicalJson = (value: Json): string => JSON.stringify(inOrder(value));

/** A copy whose names are in order; one pass of the engine over it is faster than writing its text here. */
function inOrder(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.some(isComposed) ? value.map(inOrder) : value;
  const copy: JsonObject = {};
  for (const name of Object.keys(value).sort()) copy[name] = inOrder(value[name] as Json);
  return copy;
}

const isComposed = (value: Json) => typeof value === 'object' && value !== null;

/** Whether two values are the same JSON. Most are the same object or number already. */
export const isSameJson = (a: Json, b: Json): boolean => a === b || canonicalJson(a) === canonicalJson(b);

/**
 * Whether something holds; undefined: it cannot be told here, because a key or an operator is not supported. A statement
 * that cannot be told never allows, and denies when it is a Deny.
 */
export type Truth = boolean | undefined;

/** False wins over undefined, undefined over true. */
export function both(left: Truth, right: Truth): Truth {
  if (left === false || right === false) return false;
  return left === undefined || right === undefined ? undefined : true;
}

export const not = (truth: Truth): Truth => (truth === undefined ? undefined : !truth);

/** True as soon as one is; undefined when none is and one cannot be told. */
export function anyOf<T>(items: readonly T[], test: (item: T) => Truth): Truth {
  let result: Truth = false;
  for (const item of items) {
    const truth = test(item);
    if (truth === true) return true;
    if (truth === undefined) result = undefined;
  }
  return result;
}

/** False as soon as one is; undefined when none is and one cannot be told. */
export function allOf<T>(items: readonly T[], test: (item: T) => Truth): Truth {
  let result: Truth = true;
  for (const item of items) {
    const truth = test(item);
    if (truth === false) return false;
    if (truth === undefined) result = undefined;
  }
  return result;
}

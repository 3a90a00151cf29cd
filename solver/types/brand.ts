// Branded types: a plain value that carries its meaning in its type only. Each brand has exactly
// one checking constructor, beside its definition; nothing else may cast to it.

declare const brand: unique symbol;

/** `T` that the type checker will not confuse with another brand of `T`. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
